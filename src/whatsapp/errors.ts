import { CALLING_ERRORS } from './calling-errors.ts';
import { LATER, NOT_REACHED, REFUSED, row, type MetaErrorRow } from './error-row.ts';
import { GENERAL_ERRORS, TEMPLATE_ERRORS } from './general-errors.ts';

/** A code that no row names: refused for good unless the HTTP status speaks of Meta's side. */
export const UNKNOWN_ERROR: MetaErrorRow = row(
  [],
  'meta_error_unknown',
  NOT_REACHED,
  'Meta answered with an error code that is not in the catalogue.',
  "Look the code up on Meta's error page, and report it so that it can be added.",
);

/** What happens below Meta's error codes, when no `error.code` came back. */
export const TRANSPORT_ERRORS = {
  unreachable: row(
    [],
    'meta_unreachable',
    LATER,
    'Meta could not be reached; the request never left.',
    'Check DNS, the firewall and the Graph URL of the line.',
  ),
  lineUnusable: row(
    [],
    'meta_line_unusable',
    ['terminal', 'client'],
    'The Graph URL or the access token of the line cannot be put into a request.',
    'Correct them in the settings of the line.',
  ),
  noAnswer: row(
    [],
    'meta_no_answer',
    LATER,
    'Meta did not answer.',
    'The request changes nothing, so it is sent again later.',
  ),
  outcomeUnknown: row(
    [],
    'meta_outcome_unknown',
    ['terminal', 'indeterminate'],
    'The request left, but no usable answer came back: nobody knows whether it took effect.',
    'Never send it again; wait for the webhook that carries its callback data.',
  ),
  answerInvalid: row(
    [],
    'meta_answer_invalid',
    LATER,
    'The answer was not what the Graph API sends: a proxy or an outage page, perhaps.',
    'Check the Graph URL and version of the line; look at the status page of the platform.',
  ),
  overloaded: row(
    [],
    'meta_rate_limited',
    LATER,
    'Meta asks for fewer requests.',
    'Wait; the request is sent again later.',
  ),
  refused: row(
    [],
    'meta_request_refused',
    NOT_REACHED,
    'The request was refused without an error code.',
    'Check the Graph URL, version and ids of the line.',
  ),
  keyExchangeMismatch: row(
    [],
    'meta_key_exchange_mismatch',
    REFUSED,
    'Line and Meta disagree how the keys of the sound are agreed, DTLS or SDES.',
    'POST /v1/lines/{id}/key-exchange sets both; the check key_exchange of go-live shows them.',
  ),
  permissionCheckBusy: row(
    [],
    'meta_permission_check_busy',
    ['retryable', 'server'],
    'Too many permission checks are waiting for this line.',
    'Wait; the stored permission is used meanwhile.',
  ),
} as const satisfies Record<string, MetaErrorRow>;

/** Every row, in the order in which docs/reference/errors.md shows them. */
export const META_ERRORS: readonly MetaErrorRow[] = [
  ...CALLING_ERRORS,
  ...GENERAL_ERRORS,
  ...TEMPLATE_ERRORS,
];

const rowByMetaCode = new Map(
  META_ERRORS.flatMap((row) => row.metaCodes.map((metaCode) => [metaCode, row] as const)),
);

/** The row of one of Meta's codes, or undefined for a code nobody has documented. */
export function metaErrorRow(metaCode: number): MetaErrorRow | undefined {
  return rowByMetaCode.get(metaCode);
}
