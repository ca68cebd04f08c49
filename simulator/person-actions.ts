import type { PersonAction } from './control-types.ts';
import { answer, callBusiness, decline, finish, loseMedia, resumeMedia } from './calls.ts';
import { addToChat } from './chat.ts';
import { ControlFailure } from './control-failure.ts';
import { waIdOf } from './meta-ids.ts';
import { changeNumber, changeUserId } from './number-changes.ts';
import { answerRequest, setInProfile } from './permissions.ts';
import { pairOf, touch, type Call, type Line, type Person, type Simulation } from './simulation.ts';
import { sendInbound } from './webhook-values.ts';

/** Does one thing on a person's phone; `ControlFailure` when the screen does not offer it. */
export function perform(sim: Simulation, person: Person, action: PersonAction): void {
  switch (action.action) {
    case 'allow':
    case 'allow_always':
    case 'not_now':
      return answerRequest(sim, person, action.action, action.messageId);
    case 'tap':
      return tap(sim, person, action.text, action.messageId);
    case 'answer':
      return pickUp(sim, person);
    case 'decline':
      return decline(sim, ringingCall(person));
    case 'hang_up':
      return hangUp(sim, person);
    case 'digits':
      return press(sim, person, action.digits);
    case 'write':
      return write(sim, lineFor(sim, person, action.phoneNumberId), person, action.text);
    case 'revoke':
      return setInProfile(sim, lineFor(sim, person, action.phoneNumberId), person, 'not_now');
    case 'allow_in_profile':
      return setInProfile(sim, lineFor(sim, person, action.phoneNumberId), person, 'allow_always');
    case 'call_business':
      return dialBusiness(sim, person, action.phoneNumberId);
    case 'change_number':
      return changeNumber(sim, person, action.newNumber);
    case 'change_user_id':
      return changeUserId(sim, person);
    case 'lose_media':
      return loseMedia(sim, answeredCall(person));
    case 'resume_media':
      return resumeMedia(sim, answeredCall(person));
  }
}

/** Quick replies may be tapped once, as on a real phone; rows of a list again and again. */
function tap(sim: Simulation, person: Person, text: string, messageId: string | undefined): void {
  const message = person.messages.findLast(
    (each) =>
      (messageId === undefined || each.id === messageId) &&
      each.buttons.some((button) => button.text === text && button.enabled),
  );
  const button = message?.buttons.find((each) => each.text === text && each.enabled);
  const line = message === undefined ? undefined : sim.lines.get(message.phoneNumberId);
  if (message === undefined || button === undefined || line === undefined) {
    throw new ControlFailure(
      409,
      'no_such_button',
      `There is no button "${text}" to tap.`,
      'Read the buttons of the messages in GET /simulator/state; the text must match exactly.',
    );
  }
  if (button.action !== 'tap') {
    const answers = ['allow', 'allow_always', 'not_now'] as const;
    const native = answers.find((each) => each === button.action);
    if (native !== undefined) return answerRequest(sim, person, native, message.id);
    return dialBusiness(sim, person, message.phoneNumberId, button.payload);
  }
  // A list may be opened again on a real phone, a quick reply not.
  if (message.kind !== 'list') for (const each of message.buttons) each.enabled = false;
  message.status = 'read';
  pairOf(line, person).windowUntil = sim.clock.now() + sim.settings.windowMs;
  const context = { from: waIdOf(line.number), id: message.id };
  const payload = button.payload ?? button.text;
  const reply = { id: payload, title: button.text };
  const id = sendInbound(
    sim,
    line,
    person,
    'button',
    message.kind === 'list'
      ? { type: 'interactive', context, interactive: { type: 'list_reply', list_reply: reply } }
      : { type: 'button', context, button: { text: button.text, payload } },
  );
  addToChat(sim, person, {
    line,
    id,
    from: 'person',
    kind: 'button_reply',
    text: button.text,
    replyTo: message.id,
  });
}

function pickUp(sim: Simulation, person: Person): void {
  const call = ringingCall(person);
  if (call.direction === 'USER_INITIATED') {
    throw new ControlFailure(
      409,
      'own_call',
      'This person is calling; only the business can answer.',
      'Answer with POST /{phone number id}/calls, action accept.',
    );
  }
  answer(sim, call);
}

function hangUp(sim: Simulation, person: Person): void {
  const { call } = person;
  if (call === null) throw noCall('No call is up.');
  if (call.state === 'answered') finish(sim, call, 'person_hung_up');
  else if (call.direction === 'BUSINESS_INITIATED') decline(sim, call);
  else finish(sim, call, 'no_answer');
}

function press(sim: Simulation, person: Person, digits: string): void {
  const call = answeredCall(person);
  if (!/^[0-9*#]{1,32}$/.test(digits)) {
    throw new ControlFailure(
      400,
      'bad_digits',
      'A keypad has 0 to 9, * and #.',
      'Send 1 to 32 of these characters.',
    );
  }
  call.digitsSent += digits;
  call.media?.sendDigits(digits);
  touch(sim, person);
}

function write(sim: Simulation, line: Line, person: Person, text: string): void {
  pairOf(line, person).windowUntil = sim.clock.now() + sim.settings.windowMs;
  const id = sendInbound(sim, line, person, 'text', { type: 'text', text: { body: text } });
  addToChat(sim, person, { line, id, from: 'person', kind: 'text', text });
}

function dialBusiness(
  sim: Simulation,
  person: Person,
  phoneNumberId: string | undefined,
  ctaPayload?: string,
): void {
  if (person.call !== null) {
    throw new ControlFailure(409, 'busy', 'This person is in a call.', 'End that call first.');
  }
  const line = lineFor(sim, person, phoneNumberId);
  if (line.calling.status !== 'ENABLED') {
    throw new ControlFailure(
      409,
      'calling_disabled',
      'This business cannot be called: calling is off.',
      'Enable it with POST /{phone number id}/settings.',
    );
  }
  callBusiness(sim, line, person, ctaPayload);
}

/** The named line, else the one this person last heard of, else the first there is. */
function lineFor(sim: Simulation, person: Person, phoneNumberId: string | undefined): Line {
  const latest = phoneNumberId ?? person.call?.line.phoneNumberId ?? latestLineId(person);
  const line = latest === undefined ? [...sim.lines.values()][0] : sim.lines.get(latest);
  if (line === undefined) {
    throw new ControlFailure(
      404,
      'unknown_line',
      'There is no such line.',
      'Name a phoneNumberId of GET /simulator/state, or create one with POST /simulator/lines.',
    );
  }
  return line;
}

function latestLineId(person: Person): string | undefined {
  return person.messages.at(-1)?.phoneNumberId ?? person.pastCalls[0]?.line.phoneNumberId;
}

function ringingCall(person: Person): Call {
  if (person.call?.state !== 'ringing') throw noCall('No call is ringing.');
  return person.call;
}

function answeredCall(person: Person): Call {
  if (person.call?.state !== 'answered') throw noCall('No call is up.');
  return person.call;
}

function noCall(message: string): ControlFailure {
  return new ControlFailure(
    409,
    'no_call',
    message,
    'Place a call with POST /{phone number id}/calls and wait until its state fits.',
  );
}
