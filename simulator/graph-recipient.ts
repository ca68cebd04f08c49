import { GraphError } from './graph-error.ts';
import { toE164 } from './meta-ids.ts';
import { personByUserId, personOf, type Person, type Simulation } from './simulation.ts';

/** Who `to` (a number) or `recipient` (a user id) means; `to` wins when both are given. */
export function recipientOf(sim: Simulation, body: Record<string, unknown>): Person {
  const { to, recipient } = body;
  if (typeof to === 'string' && to !== '') {
    const number = toE164(to);
    if (number === undefined) throw new GraphError(100, 'to is not a phone number');
    return personOf(sim, number);
  }
  if (typeof recipient === 'string' && recipient !== '') return personOfUserId(sim, recipient);
  throw new GraphError(100, 'The parameter to (or recipient) is required.');
}

export function personOfUserId(sim: Simulation, userId: string): Person {
  const person = personByUserId(sim, userId);
  if (person === undefined) throw new GraphError(100, 'recipient is not a known user id');
  return person;
}
