import type { EventType } from './webhooks.ts';

/**
 * When each public event is sent and what its `data` holds; docs/reference/events.md is made from
 * this table. The type makes the compiler ask for a row with every new event.
 */
export type EventMeaning = { when: string; data: string };

const OF_REQUEST = '`lineId`, `requestId`, `purpose`';
const OF_PERMISSION = `${OF_REQUEST}, \`permission\``;
const OF_BRAKE =
  '`lineId`, `state` (free, slowed, paused), `because`: for each `brake` its numbers and limits, ' +
  '`callsPerSecond`, `requestsPerSecond`, `reason`';
const OF_CALL = '`call`';
const OF_ENDPOINT = '`endpointId`, `name`, `uri`, `status`, `reason`, `targetsUp`, `targets`';
const OF_REGISTRATION = '`endpointId`, `name`, `uri`, `node`, `state`, `status`, `reason`';
const OF_CAMPAIGN = '`campaignId`, `name`, `lineId`, `journeyId`';

export const EVENT_MEANINGS: Readonly<Record<EventType, EventMeaning>> = {
  'permission.requested': { when: 'A permission request was taken in.', data: OF_REQUEST },
  'permission.sent': { when: 'Meta took the message.', data: OF_REQUEST },
  'permission.delivered': { when: "It is on the customer's phone.", data: OF_REQUEST },
  'permission.read': { when: 'The customer has seen it.', data: OF_REQUEST },
  'permission.failed': {
    when: 'It could not be delivered; the request shows code and fix.',
    data: OF_REQUEST,
  },
  'permission.granted': {
    when: 'The customer said yes; valid while now is before `permission.expiresAt`.',
    data: OF_PERMISSION,
  },
  'permission.declined': { when: 'The customer said no.', data: OF_REQUEST },
  'permission.expired': {
    when: 'The time of an unused permission is over.',
    data: OF_PERMISSION,
  },
  'permission.lapsed': {
    when: 'The request was never answered; a late yes still counts.',
    data: OF_REQUEST,
  },
  'permission.revoked': {
    when: 'A permission was taken back by the customer, Meta, an operator or the API.',
    data: OF_PERMISSION,
  },
  'permission.used': {
    when: 'A dial consumed the permission: one permission, one call.',
    data: OF_PERMISSION,
  },
  'permission.released': {
    when: 'The dial did not happen and no phone rang, so the permission may be used again.',
    data: OF_PERMISSION,
  },
  'permission.refused': {
    when: 'Asking was refused by the gate; nothing was sent.',
    data: '`lineId`, `purpose`, `code`, `rule`, `policyPack`',
  },
  'permission.planned': {
    when: 'A request was planned for later, at `sendAt`; it keeps its id when it is asked.',
    data: `${OF_REQUEST}, \`sendAt\``,
  },
  'permission.plan_ended': {
    when: 'A planned request is not asked: it was cancelled, or refused at its time.',
    data: `${OF_REQUEST}, \`code\` (cancelled, opted_out, erased, or of the refusal)`,
  },
  'permission.quick_reply': {
    when: 'The customer tapped a quick reply; `next` tells what follows from it.',
    data:
      `${OF_REQUEST}, \`answer\` (yes, no), ` +
      '`next` (declined, permission, native_request, nothing)',
  },
  'call_button.sent': {
    when: 'Meta took a message with a call button.',
    data: '`lineId`, `messageId`',
  },
  'call_button.failed': {
    when: 'Such a message could not be delivered; the message shows code and fix.',
    data: '`lineId`, `messageId`, `code`',
  },
  'call_button.refused': {
    when: 'Sending a call button was refused; nothing was sent.',
    data: '`lineId`, `code`, `rule`, `policyPack`',
  },
  'call.blocked': {
    when: 'A call was refused by the gate as it was asked for; nobody was rung.',
    data: '`lineId`, `purpose`, `clientReference`, `code`, `rule`, `policyPack`',
  },
  'call.rescheduled': { when: 'A call that waits was moved to another time.', data: OF_CALL },
  'call.initiated': { when: 'Meta took the call.', data: OF_CALL },
  'call.ringing': { when: "The customer's phone rings.", data: OF_CALL },
  'call.answered': { when: 'The customer picked up.', data: OF_CALL },
  'call.bridged': { when: 'Customer and endpoint hear each other.', data: OF_CALL },
  'call.audio_lost': {
    when: 'Nothing was heard from one side for 3 s; the call goes on. `audioGaps` says why.',
    data: OF_CALL,
  },
  'call.audio_found': { when: 'That side is heard again.', data: OF_CALL },
  'call.dead_air': {
    when: 'An alarm: customer and endpoint are connected, and for 10 s neither made a sound.',
    data: OF_CALL,
  },
  'call.held': {
    when: 'The customer hears music: you, a script, or the PBX put the call on hold.',
    data: OF_CALL,
  },
  'call.resumed': { when: 'The two hear each other again.', data: OF_CALL },
  'call.muted': { when: 'What is said on a leg reaches nobody; see `call.muted`.', data: OF_CALL },
  'call.unmuted': { when: 'That leg is heard again.', data: OF_CALL },
  'call.transfer_started': {
    when: 'Another endpoint is being called for the customer, who hears music meanwhile.',
    data: OF_CALL,
  },
  'call.transferred': { when: 'The other endpoint speaks with the customer now.', data: OF_CALL },
  'call.transfer_failed': {
    when: 'The transfer came to nothing; the last of `call.transfers` says why.',
    data: OF_CALL,
  },
  'call.listener_added': { when: 'Somebody listens to the call, or speaks in it.', data: OF_CALL },
  'call.listener_removed': { when: 'That listener is gone.', data: OF_CALL },
  'call.action_failed': {
    when: 'An order to the live call could not be followed; GET its actions for the reason.',
    data: OF_CALL,
  },
  'call.recording.ready': {
    when: 'A recording can be heard; `reason` says what cut it short, if anything did.',
    data: '`callId`, `recordingId`, `durationMs`, `reason`',
  },
  'call.recording.failed': {
    when: 'There is nothing to hear of a recording. The call was not harmed.',
    data: '`callId`, `recordingId`, `reason`',
  },
  'call.script.step': {
    when: 'A step of the call script is over; `call.script.steps` says what came of it.',
    data: OF_CALL,
  },
  'call.script.ended': {
    when: 'The automated part is over; `call.script.result` is what the script set.',
    data: OF_CALL,
  },
  'call.ended': {
    when: 'The call is over, exactly once per call, whatever happened.',
    data: '`call`, `cdr`',
  },
  'outcome.set': {
    when: 'Somebody wrote down what came of a call, or changed it.',
    data: '`callId`, `version`, `outcome`, `note`',
  },
  'survey.sent': {
    when: 'A customer was asked how satisfied they were with a call.',
    data: '`callId`, `lineId`, `way` (message, key_press), `messageId`',
  },
  'survey.failed': {
    when: 'Meta could not deliver the question.',
    data: '`callId`, `lineId`, `messageId`, `code`',
  },
  'survey.answered': {
    when: 'The customer answered; the first answer of a call counts.',
    data: '`callId`, `lineId`, `score` (1 to 5), `way`, `by` (tap, quote, number, key_press)',
  },
  'contact.merged': {
    when: 'Two contacts turned out to be one person; the event is of the one that goes on.',
    data: '`absorbedContactId`, `optedOut`: whether the other had said stop',
  },
  'contact.number_lost': {
    when: 'Somebody else has the number now; what the contact had allowed is gone with it.',
    data: 'none',
  },
  'contact.erased': {
    when: 'A person was erased; nothing that names them is left.',
    data: '`id`, the contact',
  },
  'optout.received': {
    when: 'The customer said stop; every later dial is blocked from here on.',
    data: '`lineId`, `way`, `callId` where it was said in a call',
  },
  'optout.pending': {
    when: 'A message most likely said stop: calls are blocked, and the customer was asked.',
    data: '`lineId`',
  },
  'optout.cleared': {
    when: 'The customer answered that calls may go on; the block is lifted.',
    data: '`lineId`',
  },
  'optout.flagged': {
    when: 'A message may have meant stop, or an appointment; nothing is blocked, please read it.',
    data: '`lineId`',
  },
  'optout.late': {
    when: 'A stop took effect more than 60 seconds after it came in. Find out why; see the alarm.',
    data: '`lineId`, `way`, `waitedMs`',
  },
  'optout.lifted': {
    when: 'The customer took the stop back by an act of their own, and may be asked again.',
    data: '`lineId`, `way`',
  },
  'dnc.added': {
    when: 'A person was put on a do-not-call list.',
    data: '`list`, `reason`, `source`',
  },
  'dnc.removed': {
    when: 'A person was taken off one list; others, and their own opt-out, still stand.',
    data: '`list`, `reason`',
  },
  'endpoint.down': {
    when: 'A target of an endpoint failed three checks by SIP OPTIONS in a row; it is called last.',
    data: OF_ENDPOINT,
  },
  'endpoint.up': {
    when: 'It answered again, twice in a row.',
    data: OF_ENDPOINT,
  },
  'endpoint.registered': {
    when: 'A gateway is registered at a target of an endpoint that has `register`.',
    data: OF_REGISTRATION,
  },
  'endpoint.registration_lost': {
    when: 'It is not any more, or could not be from the start; it is tried again by itself.',
    data: OF_REGISTRATION,
  },
  'template.status_changed': {
    when: 'Meta approved, rejected, paused or disabled a template, or no longer lists it.',
    data: '`templateId`, `name`, `language`, `status`, `before`, `reason`',
  },
  'journey.run.started': {
    when: 'A person was put on a journey; nothing has been asked yet.',
    data: '`runId`, `journeyId`, `version`, `lineId`, `dueAt`, `attribution`',
  },
  'journey.run.ended': {
    when: 'A run is over: by a step of the journey, a no, an opt-out, a cancel.',
    data: '`runId`, `journeyId`, `version`, `lineId`, `step`, `end`, `steps`',
  },
  'campaign.started': { when: 'Its people begin on the journey.', data: OF_CAMPAIGN },
  'campaign.paused': {
    when: 'Nothing of it is asked or dialled until it is resumed; what rings goes on.',
    data: OF_CAMPAIGN,
  },
  'campaign.resumed': { when: 'It goes on where it was.', data: OF_CAMPAIGN },
  'campaign.stopped': {
    when: 'It is over for good: who waited is left out, who was on the way is taken off.',
    data: OF_CAMPAIGN,
  },
  'campaign.done': {
    when: 'Everybody of it is through, or was left out by a rule.',
    data: OF_CAMPAIGN,
  },
  'experiment.sample_ratio_alarm': {
    when: 'The arms do not have the sizes they were drawn with: do not trust the comparison.',
    data: '`experimentId`, `name`, `chiSquare`, `p`',
  },
  'experiment.arm_stopped': {
    when: "An arm's people opt out more than the control's; it is given to nobody any more.",
    data: '`experimentId`, `name`, `arm`, `reason`',
  },
  'experiment.result': {
    when: 'Every arm has its verdict: better, worse, or no difference found.',
    data: '`experimentId`, `name`, `verdicts`: for each `arm` the `verdict` and `interval`',
  },
  'line.slowed': {
    when: 'A rate of a line is below its floor: it dials and asks at a lower pace.',
    data: OF_BRAKE,
  },
  'line.paused': {
    when: 'A rate is far below: the line asks and dials no more until somebody resumes it.',
    data: OF_BRAKE,
  },
  'line.resumed': {
    when: 'A braked line goes on: freely, or slowly after a pause.',
    data: OF_BRAKE,
  },
  'account.stopped': {
    when: 'Somebody pressed STOP ALL: no dial and no request until it is lifted.',
    data: '`reason`',
  },
  'account.resumed': { when: 'The stop of everything was lifted.', data: '{}' },
};
