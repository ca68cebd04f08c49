import { LATER, NOT_REACHED, REFUSED, row, type MetaErrorRow } from './error-row.ts';

/**
 * Calling: the catalogue of Meta's calling/troubleshooting page, June 2026. 138019 to 138023 come
 * in the terminate webhook, the others as answers; 138008, 138010, 138016 stand on no page.
 */
export const CALLING_ERRORS: readonly MetaErrorRow[] = [
  row(
    [138000],
    'meta_calling_disabled',
    REFUSED,
    'Calling is not enabled on this business number.',
    'Enable calling in the settings of the line, then try again.',
  ),
  row(
    [138001],
    'meta_recipient_uncallable',
    NOT_REACHED,
    'This person cannot be called on WhatsApp: no account, terms not accepted, or an old app.',
    'Do not try again soon; reach the person by message instead.',
  ),
  row(
    [138002],
    'meta_concurrent_calls_exceeded',
    LATER,
    'The business number already has 1,000 calls in progress.',
    'Wait until calls have ended, or spread the calls over more lines.',
  ),
  row(
    [138003],
    'meta_call_already_ongoing',
    REFUSED,
    'A call between this business number and this person is already in progress.',
    'Wait for it to end before calling again.',
  ),
  row(
    [138004],
    'meta_call_connect_error',
    LATER,
    'Meta failed while connecting the call.',
    'Schedule a new attempt; if it persists, look at the status page of the platform.',
  ),
  row(
    [138005],
    'meta_call_rate_limited',
    LATER,
    'The business number places calls faster than Meta allows.',
    'Lower the pace of the line; the next attempt may follow after a pause.',
  ),
  // Comes as HTTP 401, like 138000, although the token is fine.
  row(
    [138006],
    'meta_permission_missing',
    REFUSED,
    'Meta holds no call permission from this person for this business number.',
    'Ask for permission first; call after the person has allowed it.',
  ),
  row(
    [138007],
    'meta_call_connect_timeout',
    LATER,
    'The media connection was not up in time.',
    'Check that UDP to the relay is open and that the answer is applied at once.',
  ),
  row(
    [138009],
    'meta_permission_request_limit',
    REFUSED,
    'This person was asked for call permission as often as Meta allows (1 a day, 2 a week).',
    'Wait for the limit to pass; a connected call resets it.',
  ),
  // Named only in the FAQ, for numbers in development.
  row(
    [138011],
    'meta_permission_request_too_early',
    REFUSED,
    'Meta wants a message exchanged with this person before permission is requested.',
    'Send a template or answer a message of the person first.',
  ),
  row(
    [138012],
    'meta_connected_calls_limit',
    REFUSED,
    'This person had as many connected calls within 24 hours as Meta allows.',
    'Call again after the time that Meta names.',
  ),
  // Until 2025 this number stood for the rate of permission queries, today 613.
  row(
    [138013],
    'meta_country_unavailable',
    REFUSED,
    'Business-initiated calls are not available for the country of this business number.',
    'Use a business number of a country where Meta offers them.',
  ),
  row(
    [138014],
    'meta_calling_restricted_quality',
    REFUSED,
    'Meta has paused calling on this number because of low call quality or negative feedback.',
    'Stop calling from this line until the pause ends, and call fewer people who do not answer.',
  ),
  row(
    [138015],
    'meta_messaging_limit_too_low',
    REFUSED,
    'Calling cannot be enabled: the messaging limit of the number is below 2,000.',
    'Raise the messaging limit in the WhatsApp Manager first.',
  ),
  row(
    [138017],
    'meta_permission_already_permanent',
    REFUSED,
    'The person has already given a permanent permission.',
    'Call without asking again.',
  ),
  row(
    [138018],
    'meta_calls_not_subscribed',
    REFUSED,
    'Calling cannot be enabled: no app is subscribed to the calls webhook.',
    'Subscribe the app to the field "calls" and to the WhatsApp Business account.',
  ),
  row(
    [138019],
    'meta_client_setup_failed',
    NOT_REACHED,
    "The person's app could not set the call up.",
    'Try once more later.',
  ),
  row(
    [138020],
    'meta_client_relay_unreachable',
    NOT_REACHED,
    "The person's app could not reach the media relay.",
    'Try once more later; the person has a poor connection.',
  ),
  // The one failure of media that is ours: silence for 20 s at the start or 30 s later.
  row(
    [138021],
    'meta_no_media_from_business',
    ['terminal', 'server'],
    "The person's app hung up because no audio came from our side.",
    'Check that outbound UDP is open and that the media worker is sending.',
  ),
  row(
    [138022],
    'meta_no_media_from_person',
    NOT_REACHED,
    "The person's app sent no audio for a long time.",
    'Try once more later; the person has a poor connection.',
  ),
  row(
    [138023],
    'meta_accepted_without_media',
    NOT_REACHED,
    'The call was accepted, but no media followed.',
    'Try once more later.',
  ),
  row(
    [131055],
    'meta_line_in_sip_mode',
    REFUSED,
    'This business number is set to SIP signalling, so it cannot call over the Graph API.',
    'Disable SIP in the calling settings of the number.',
  ),
  row(
    [131044],
    'meta_payment_missing',
    REFUSED,
    'The WhatsApp Business account has no valid payment method.',
    'Add a payment method in the WhatsApp Manager.',
  ),
  row(
    [131030],
    'meta_recipient_not_allowed',
    REFUSED,
    'The recipient is not on the allow-list of this test number.',
    "Add the recipient's number in the app dashboard under API setup.",
  ),
  row(
    [131009],
    'meta_parameter_value_invalid',
    REFUSED,
    'Meta refused the value of a parameter.',
    'Look at the details; a call button is not supported for every sender.',
  ),
];
