import { ControlFailure } from './control-failure.ts';
import { newWamid, waIdOf } from './meta-ids.ts';
import { freeUserId, type Person, type Simulation } from './simulation.ts';
import { seconds } from './webhook-values.ts';

type Names = Pick<Person, 'number' | 'userId'>;

/**
 * Moves a person to another number. Meta gives a new user id with it and tells every business that
 * had to do with the person; whoever comes to the old number is somebody else.
 */
export function changeNumber(sim: Simulation, person: Person, newNumber: string): void {
  if (person.call !== null) {
    throw new ControlFailure(409, 'in_call', 'A call is up.', 'Hang up first.');
  }
  if (sim.people.has(newNumber)) {
    const message = 'This number already has an owner.';
    throw new ControlFailure(409, 'person_exists', message, 'Choose another number.');
  }
  const before = { number: person.number, userId: person.userId };
  sim.people.delete(before.number);
  sim.formerUserIds.add(before.userId);
  person.formerNumbers.push(before.number);
  person.number = newNumber;
  person.userId = freeUserId(sim, newNumber);
  sim.people.set(newNumber, person);
  tell(sim, person, before, 'user_changed_number');
}

/** Gives a person another user id; the number stays. */
export function changeUserId(sim: Simulation, person: Person): void {
  const before = { number: person.number, userId: person.userId };
  sim.formerUserIds.add(before.userId);
  person.userId = freeUserId(sim, person.number);
  tell(sim, person, before, 'user_changed_user_id');
}

/** The system message of Meta's webhook reference (August 2026), to each line that knows them. */
function tell(sim: Simulation, person: Person, before: Names, type: string): void {
  for (const phoneNumberId of person.pairs.keys()) {
    const line = sim.lines.get(phoneNumberId);
    if (line === undefined || !sim.apps.subscribed.has(line.wabaId)) continue;
    const isHidden = person.hidesNumber;
    const system = {
      type,
      body: `${person.name} is known by other names now.`,
      ...(isHidden || type === 'user_changed_user_id' ? {} : { wa_id: waIdOf(person.number) }),
      user_id: person.userId,
      previous_user_id: before.userId,
    };
    void sim.webhooks.send({
      event: 'system',
      wabaId: line.wabaId,
      field: 'messages',
      // Behind whatever was sent of them under the old number.
      orderKey: before.number,
      value: {
        messaging_product: 'whatsapp',
        metadata: { display_phone_number: waIdOf(line.number), phone_number_id: phoneNumberId },
        messages: [
          {
            ...(isHidden ? {} : { from: waIdOf(before.number) }),
            id: newWamid(sim.random),
            timestamp: seconds(sim.clock.now()),
            type: 'system',
            system,
          },
        ],
      },
    });
  }
  sim.changed();
}
