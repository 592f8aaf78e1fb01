// Find, hold, book, read, search and cancel with fhir-kit-client.
import { readFileSync } from 'node:fs';
import * as kit from 'fhir-kit-client';

const told = JSON.parse(readFileSync(0, 'utf8'));
const Client = kit.Client ?? kit.default;
const client = new Client({ baseUrl: told.base, customHeaders: { Authorization: `Bearer ${told.token}` } });

const named = (references) => ({
  resourceType: 'Parameters',
  parameter: Object.entries(references).map(([name, reference]) => ({ name, valueReference: { reference } })),
});
const operate = async (name, input, method = 'POST') =>
  (await client.operation({ resourceType: 'Appointment', name, method, input })).entry[0].resource;

const wanted = { start: told.start, end: told.end, 'visit-type': told.visit_type, _count: 5 };
const found = await operate('find', wanted, 'GET');
const held = await operate('hold', named({ 'appointment-reference': `Appointment/${found.id}`, 'patient-reference': told.patient }));
const booked = await operate('book', named({ 'appointment-reference': `Appointment/${held.id}` }));
const read = await client.read({ resourceType: 'Appointment', id: booked.id });
const listed = await client.search({ resourceType: 'Appointment', searchParams: { patient: told.patient } });
const ended = await client.update({ resourceType: 'Appointment', id: read.id, body: { ...read, status: 'cancelled' } });

console.log(JSON.stringify({
  id: ended.id,
  listed: listed.entry.map((each) => each.resource.id),
  statuses: [found, held, booked, ended].map((each) => each.status),
}));
