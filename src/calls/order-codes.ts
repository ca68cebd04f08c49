/**
 * Why an order to a live call was refused or failed, as data. The errors page and the answers are
 * made from this table; beside these, an order to an endpoint fails with the end reason that its
 * leg would have had, for example `endpoint_busy`.
 */
export type OrderCodeEntry = {
  title: string;
  meaning: string;
  fix: string;
  status: 403 | 409 | 422;
};

export const ORDER_CODES = {
  call_over: {
    title: 'The call is over, or about to be',
    meaning: 'The order came after the end of the call, or after somebody hung up.',
    fix: 'Nothing is to be done: read the call, or its CDR.',
    status: 409,
  },
  call_not_up: {
    title: 'The call is not that far yet',
    meaning: 'The order needs a customer who has picked up, and mostly an endpoint with audio.',
    fix: 'Wait for call.answered (sounds, keys, mute) or call.bridged (all else) and order again.',
    status: 409,
  },
  orders_full: {
    title: 'The call has too many orders',
    meaning: '20 orders of the call are open, or it had 1,000 in its life.',
    fix: 'Wait until the open ones are done; GET /v1/calls/{id}/actions shows them.',
    status: 409,
  },
  order_not_taken: {
    title: 'Nobody took the order in time',
    meaning: 'No gateway came to follow it within 10 seconds, so it will not be followed later.',
    fix: 'See that a process with the role gateway runs, then order again.',
    status: 409,
  },
  order_interrupted: {
    title: 'The order was cut off',
    meaning: 'The gateway took it and then stopped, or the call ended while it was being done.',
    fix: 'Nothing is repeated by itself; order again if the call still lives.',
    status: 409,
  },
  order_failed: {
    title: 'The order could not be followed',
    meaning: 'Something broke while it was being done; the log says what.',
    fix: 'Order again; if it fails again, look at the log of the gateway.',
    status: 409,
  },
  transfer_under_way: {
    title: 'Another transfer is under way',
    meaning: 'A call is transferred to one endpoint at a time.',
    fix: 'Complete or cancel the first one.',
    status: 409,
  },
  agent_awaited: {
    title: 'The agent is waited for',
    meaning: 'Their page was loaded again in the call; the customer hears music for some seconds.',
    fix: 'Order again once the agent is back, or the call is over.',
    status: 409,
  },
  no_transfer: {
    title: 'No transfer is under way',
    meaning: 'There is nothing to complete or to cancel.',
    fix: 'Start one with the action transfer.',
    status: 409,
  },
  transfer_not_answered: {
    title: 'The other endpoint has not answered yet',
    meaning: 'An attended transfer can be completed once its endpoint is there.',
    fix: 'Wait until the transfer is done, or cancel it and transfer blind.',
    status: 409,
  },
  transfer_canceled: {
    title: 'The transfer was taken back',
    meaning: 'The business cancelled it; the customer is back with the endpoint from before.',
    fix: 'Nothing is to be done.',
    status: 409,
  },
  listener_unknown: {
    title: 'That endpoint does not listen',
    meaning: 'There is no listener of that endpoint to remove.',
    fix: 'See the listeners of GET /v1/calls/{id}.',
    status: 409,
  },
  legs_full: {
    title: 'The call has too many legs',
    meaning: 'A call may have six endpoint legs at a time, listeners included.',
    fix: 'Remove a listener first.',
    status: 409,
  },
  sound_unknown: {
    title: 'There is no such sound',
    meaning: 'The sound is neither built in nor a prompt of the account.',
    fix: 'Use ringing, hold_music, beep, silence, or the id of a prompt.',
    status: 422,
  },
  sound_unplayable: {
    title: 'The sound could not be played',
    meaning: 'Its file is missing or damaged.',
    fix: 'Upload the prompt again.',
    status: 409,
  },
  keys_refused: {
    title: 'The endpoint takes no such keys',
    meaning:
      'Its SDP has no telephone-event (RFC 4733), so keys go by SIP INFO, and it refused one, or ' +
      'its Allow header names no INFO.',
    fix: 'Let the endpoint offer telephone-event, or take INFO with application/dtmf-relay.',
    status: 409,
  },
  keys_unanswered: {
    title: 'The endpoint did not answer to a key',
    meaning: 'A key went by SIP INFO, and no answer came within 32 seconds; the rest was not sent.',
    fix: 'Let the endpoint offer telephone-event, or look why INFO does not reach it.',
    status: 409,
  },
  recording_unavailable: {
    title: 'This call cannot be recorded',
    meaning: 'Recording is off for it, was not allowed, or has no place to go.',
    fix: "See the call's recording settings.",
    status: 409,
  },
} as const satisfies Record<string, OrderCodeEntry>;

export type OrderCode = keyof typeof ORDER_CODES;
