// Find, hold, book, read, search and cancel with Medplum's client, in the shape of Medplum's own operations: whole Appointments go in.
import { readFileSync } from 'node:fs';
import { MedplumClient } from '@medplum/core';

const told = JSON.parse(readFileSync(0, 'utf8'));
const [origin, path] = [new URL(told.base).origin, new URL(told.base).pathname.slice(1)];
const client = new MedplumClient({ baseUrl: `${origin}/`, fhirUrlPath: path, fetch });
client.setAccessToken(told.token);

const operate = async (name, resource) => {
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'appointment', resource }] };
  return (await client.post(client.fhirUrl('Appointment', `$${name}`), parameters)).entry[0].resource;
};
const wanted = new URLSearchParams({ start: told.start, end: told.end, 'service-type-reference': told.service, _count: '5' });
const found = (await client.get(`${client.fhirUrl('Appointment', '$find')}?${wanted}`)).entry[0].resource;
const patient = { actor: { reference: told.patient }, status: 'needs-action' };
const held = await operate('hold', { ...found, participant: [...found.participant, patient] });
const booked = await operate('book', held);
const read = await client.readResource('Appointment', booked.id);
const listed = await client.searchResources('Appointment', { patient: told.patient });
const ended = await client.updateResource({ ...read, status: 'cancelled' });

console.log(JSON.stringify({
  id: ended.id,
  listed: listed.map((each) => each.id),
  statuses: [found, held, booked, ended].map((each) => each.status),
}));
