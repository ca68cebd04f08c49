/**
 * Every code with which consent and policy say no. The errors page, the API's problem answers
 * and the tests read this table; a code that is not here cannot be used.
 */
export type RefusalEntry = {
  title: string;
  /** What the code means, for a reader of the errors page. */
  meaning: string;
  /** What to do in general; the refusal itself may know better. */
  fix: string;
  /** 403: not allowed whatever you do · 409: not as things stand · 422: the input is at fault. */
  status: 403 | 409 | 422;
};

export const REFUSAL_CODES = [
  'line_disabled',
  'account_stopped',
  'line_paused',
  'line_restricted',
  'number_invalid',
  'number_unknown',
  'country_unknown',
  'business_country_blocked',
  'customer_country_blocked',
  'sanctioned_place',
  'do_not_call',
  'opted_out',
  'opt_out_pending',
  'call_in_progress',
  'permission_missing',
  'permission_pending',
  'permission_declined',
  'permission_used',
  'permission_expired',
  'permission_revoked',
  'permission_without_purpose',
  'purpose_mismatch',
  'promise_not_due',
  'promise_missed',
  'window_empty',
  'call_not_waiting',
  'time_zone_unknown',
  'outside_calling_hours',
  'frequency_cap_reached',
  'refusal_lock',
  'connected_limit_reached',
  'unanswered_brake',
  'line_busy',
  'endpoint_unknown',
  'target_not_voip',
  'target_not_allowed',
  'endpoint_full',
  'endpoint_minutes_used',
  'key_calls_full',
  'key_minutes_used',
  'meta_says_no',
  'meta_answer_unknown',
  'permission_live',
  'request_limit_reached',
  'request_quiet_hours',
  'purpose_not_specific',
  'template_not_approved',
  'messaging_window_closed',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

const ASK = 'Ask the customer for permission and call after the yes.';

/** The lawful way where business-initiated calls are blocked: the customer calls. */
export const LET_THEM_CALL =
  'Send a message with a call button (POST /v1/call-buttons), so that the customer calls you.';

export const REFUSALS: Readonly<Record<RefusalCode, RefusalEntry>> = {
  line_disabled: {
    title: 'The line is switched off',
    meaning: 'An operator disabled this business number; it neither asks nor calls.',
    fix: 'Enable the line, or use another one.',
    status: 409,
  },
  account_stopped: {
    title: 'Everything is stopped',
    meaning: 'Somebody pressed STOP ALL: the account neither asks nor calls until it is lifted.',
    fix: 'Lift the stop with DELETE /v1/stop-all, or on the page, once its reason is gone.',
    status: 409,
  },
  line_paused: {
    title: 'The brakes have paused the line',
    meaning:
      'A rolling rate of this line is far below its floor (too few grants or answers, too many ' +
      'stops), so it neither asks nor calls before Meta restricts it. Time alone does not lift it.',
    fix:
      'Find the cause with GET /v1/brakes, mend it, then POST /v1/lines/{id}/brake/resume with ' +
      'the reason.',
    status: 409,
  },
  line_restricted: {
    title: 'Meta restricts the line',
    meaning: 'Meta has restricted calling on this business number for a time.',
    fix: 'Wait until the restriction ends; see the line for the date and lower the complaints.',
    status: 409,
  },
  number_invalid: {
    title: 'This is not a phone number',
    meaning: 'The text is no number in international form; the message names the broken rule.',
    fix: 'Write the number with its country calling code, for example +447700900123.',
    status: 422,
  },
  number_unknown: {
    title: 'The number of the contact is not known',
    meaning: 'The contact is known only by a user id, so the rules about places cannot be checked.',
    fix: "Add the customer's phone number to the contact.",
    status: 422,
  },
  country_unknown: {
    title: 'The country of the number cannot be told',
    meaning: 'Some countries are blocked, and this number may belong to one of them.',
    fix: 'Check the number; its area code is not assigned to one country.',
    status: 403,
  },
  business_country_blocked: {
    title: 'Calls from numbers of this country are not available',
    meaning: 'Business-initiated calling does not exist for business numbers of this country.',
    fix: LET_THEM_CALL,
    status: 403,
  },
  customer_country_blocked: {
    title: 'Calls to customers in this country are not allowed',
    meaning: 'The policy pack does not allow business-initiated calls to this country.',
    fix: LET_THEM_CALL,
    status: 403,
  },
  sanctioned_place: {
    title: 'All calling is blocked in this place',
    meaning: 'The business or the customer is in a sanctioned country or region.',
    fix: 'There is no lawful way to call there; use no WhatsApp calling with this number.',
    status: 403,
  },
  do_not_call: {
    title: 'The customer is on a do-not-call list',
    meaning: 'Nobody may call or ask this person.',
    fix: 'Do not call. GET /v1/do-not-call tells which list it is, since when and why.',
    status: 403,
  },
  opted_out: {
    title: 'The customer said stop',
    meaning: 'The customer opted out of calls; nothing is asked or called until they opt in again.',
    fix: 'Do not call. Only the customer can opt in again.',
    status: 403,
  },
  opt_out_pending: {
    title: 'The customer most likely said stop',
    meaning:
      'A message such as "please no more calls" came in, and the customer was asked. No call and ' +
      'no request until the answer; 72 hours without one count as a stop.',
    fix: 'Wait for the event optout.cleared; call only if the customer lifts the block.',
    status: 409,
  },
  call_in_progress: {
    title: 'Another call to this customer is queued or live',
    meaning: 'One person is rung by one call at a time.',
    fix: 'Wait for the event call.ended of the other call, or cancel it.',
    status: 409,
  },
  permission_missing: {
    title: 'The customer has not allowed a call',
    meaning: 'There is no permission for this customer on this line.',
    fix: ASK,
    status: 409,
  },
  permission_pending: {
    title: 'The customer has not answered yet',
    meaning: 'A permission request is open.',
    fix: 'Wait for the event permission.granted, then call.',
    status: 409,
  },
  permission_declined: {
    title: 'The customer said no',
    meaning: 'The latest permission request was declined.',
    fix: 'Do not press; ask again only with a better reason, within the limit of requests.',
    status: 409,
  },
  permission_used: {
    title: 'The permission has served its call',
    meaning: 'One permission is one call.',
    fix: ASK,
    status: 409,
  },
  permission_expired: {
    title: 'The permission has expired',
    meaning: 'A permission ends at its exact moment, 24 hours after the tap in the strict pack.',
    fix: ASK,
    status: 409,
  },
  permission_revoked: {
    title: 'The permission was taken back',
    meaning: 'The customer, Meta or an operator revoked it.',
    fix: ASK,
    status: 409,
  },
  permission_without_purpose: {
    title: 'The permission names no purpose',
    meaning: 'The yes did not answer a request of ours (business profile, callback).',
    fix: 'Ask the customer with the purpose of the call.',
    status: 409,
  },
  purpose_mismatch: {
    title: 'The call has another purpose than the permission',
    meaning: 'A permission may be used only for what the customer was told.',
    fix: 'Call for the purpose that was allowed, or ask again with the new one.',
    status: 409,
  },
  promise_not_due: {
    title: 'The promised time has not come',
    meaning: 'The customer was told a time for the call, and it is earlier than that.',
    fix: 'Call at the promised time; allowedAt tells from when on.',
    status: 409,
  },
  promise_missed: {
    title: 'The customer no longer expects the call',
    meaning:
      'The call would come later than promised or, where no time was promised, too long after ' +
      'the yes (60 minutes in the strict pack).',
    fix: 'Ask again, with the time of the call; call within the promised time.',
    status: 409,
  },
  window_empty: {
    title: 'No minute is left in the window',
    meaning: 'The window in which the call was to come is over, or shorter than a minute.',
    fix: 'Give a window that begins later, or ends later.',
    status: 422,
  },
  call_not_waiting: {
    title: 'The call does not wait any more',
    meaning: 'Only a call that has not been dialled can be moved to another time.',
    fix: 'Read the call; where it has ended, ask for a new one. A used yes is not used again.',
    status: 409,
  },
  time_zone_unknown: {
    title: "The customer's time of day cannot be told",
    meaning: 'Calling hours apply, and the number belongs to no known time zone.',
    fix: "Set the contact's time zone.",
    status: 403,
  },
  outside_calling_hours: {
    title: "It is not a time to call at the customer's place",
    meaning: 'In at least one time zone of the number the hours, the day or a holiday forbid it.',
    fix: 'Call at the time in allowedAt, or schedule the call with scheduledAt.',
    status: 409,
  },
  frequency_cap_reached: {
    title: 'The customer was called often enough',
    meaning: 'A law or setting limits the calls to one person within a rolling window.',
    fix: 'Wait until the time in allowedAt.',
    status: 409,
  },
  refusal_lock: {
    title: 'The customer said no a short while ago',
    meaning: 'After a no, a law forbids calls and requests for a time.',
    fix: 'Wait until the time in allowedAt, or let the customer say yes on their own.',
    status: 409,
  },
  connected_limit_reached: {
    title: 'The customer had as many calls as Meta allows',
    meaning: 'Calls that were picked up are limited within 24 hours.',
    fix: 'Wait until the time in allowedAt.',
    status: 409,
  },
  unanswered_brake: {
    title: 'The customer let the last calls ring',
    meaning: 'After several unanswered calls in a row Meta takes the permission away.',
    fix: 'Send a message with a call button (POST /v1/call-buttons), so that the customer calls.',
    status: 409,
  },
  line_busy: {
    title: 'The line has as many live calls as it may',
    meaning: 'The calls of one business number at a time are limited.',
    fix: 'Try again when a call has ended; queued calls wait by themselves.',
    status: 409,
  },
  endpoint_unknown: {
    title: 'There is no endpoint for this call',
    meaning: 'Neither the call nor the line names an endpoint that exists.',
    fix: 'Name an endpoint in the call or set a default endpoint on the line.',
    status: 422,
  },
  target_not_voip: {
    title: 'The address could lead into the telephone network',
    meaning:
      'Meta forbids the telephone network on every leg of a call, and this is such an address.',
    fix: 'Give sip:user@host[:port][;transport=udp|tcp|tls] or sips:user@host[:port].',
    status: 422,
  },
  target_not_allowed: {
    title: 'The host of the address is not on the allow-list',
    meaning: 'Calls go only to the hosts that the server and the account list.',
    fix: 'Use a listed host, or add it: ASKFIRST_SIP_ALLOWED_HOSTS, PUT /v1/voip-guard.',
    status: 422,
  },
  endpoint_full: {
    title: 'The endpoint has as many calls as it may',
    meaning: 'The endpoint has `maxCalls` live calls. A queued call waits for room for 5 minutes.',
    fix: 'Call again when one of its calls has ended (event call.ended), or raise maxCalls.',
    status: 409,
  },
  endpoint_minutes_used: {
    title: 'The endpoint has used up its minutes of the day',
    meaning:
      'The calls of this endpoint have talked for `minutesPerDay` minutes since midnight UTC.',
    fix: 'Call after midnight UTC (allowedAt), or raise minutesPerDay.',
    status: 409,
  },
  key_calls_full: {
    title: 'The API key has as many calls as it may',
    meaning: 'This key has `keyMaxCalls` live calls; the limit stands in the VoIP guard.',
    fix: 'Call again when one of its calls has ended, or raise it: PUT /v1/voip-guard.',
    status: 409,
  },
  key_minutes_used: {
    title: 'The API key has used up its minutes of the day',
    meaning: 'Calls of this key have talked for `keyMinutesPerDay` minutes since midnight UTC.',
    fix: 'Call after midnight UTC (allowedAt), or raise it: PUT /v1/voip-guard.',
    status: 409,
  },
  meta_says_no: {
    title: 'Meta does not allow this call',
    meaning:
      'Asked for the permission, Meta said no: the customer took it back, or a limit of Meta is ' +
      'reached. Our own record may not know of it yet.',
    fix: ASK,
    status: 409,
  },
  meta_answer_unknown: {
    title: 'Meta has not confirmed the permission',
    meaning:
      "The policy pack wants Meta's own answer right before the ring, and there is none that is " +
      'fresh enough.',
    fix: 'Try again in a moment; if it stays, check the line with GET /v1/lines/{id}/go-live.',
    status: 409,
  },
  permission_live: {
    title: 'The customer has already said yes',
    meaning: 'A permission is live and unused; asking again would be spam.',
    fix: 'Place the call on the permission there is.',
    status: 409,
  },
  request_limit_reached: {
    title: 'The customer was asked too often',
    meaning: 'The limit of requests without a yes in between is reached.',
    fix: 'Wait until the time in allowedAt, or let the customer write first.',
    status: 409,
  },
  request_quiet_hours: {
    title: "It is night at the customer's place",
    meaning: 'Requests at night are read in the morning at best, and cost goodwill.',
    fix: 'Ask at the time in allowedAt.',
    status: 409,
  },
  template_not_approved: {
    title: 'Meta has not approved the template',
    meaning: 'A customer can be sent only templates that Meta approved and has not paused.',
    fix: 'Submit it, or wait for the decision; the refusal says which.',
    status: 409,
  },
  messaging_window_closed: {
    title: 'The customer has not written within 24 hours',
    meaning:
      'MARKETING requests and free-form messages go only to customers whose last message on this ' +
      'line is younger than 24 hours.',
    fix: 'Use an approved UTILITY template, or wait until the customer writes.',
    status: 409,
  },
  purpose_not_specific: {
    title: 'The purpose says nothing',
    meaning: 'The customer must be told why; empty and generic purposes are refused.',
    fix: 'Say what the call is about, for example "your order 1042" (3 to 250 characters).',
    status: 422,
  },
};
