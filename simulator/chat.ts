import type { SimMessage } from './control-types.ts';
import { newWamid } from './meta-ids.ts';
import { HISTORY_LIMIT, touch, type Line, type Person, type Simulation } from './simulation.ts';

type ChatEntry = Pick<SimMessage, 'from' | 'kind' | 'text'> &
  Partial<Omit<SimMessage, 'at' | 'phoneNumberId'>> & { line: Line };

/** Puts a message on the person's screen, and lets the oldest go. */
export function addToChat(sim: Simulation, person: Person, entry: ChatEntry): SimMessage {
  const { line, ...rest } = entry;
  const message: SimMessage = {
    id: newWamid(sim.random),
    at: new Date(sim.clock.now()).toISOString(),
    phoneNumberId: line.phoneNumberId,
    header: null,
    footer: null,
    buttons: [],
    status: null,
    request: null,
    replyTo: null,
    ...rest,
  };
  person.messages.push(message);
  if (person.messages.length > HISTORY_LIMIT) person.messages.shift();
  touch(sim, person);
  return message;
}
