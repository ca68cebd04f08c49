/**
 * Every "no" and every breakdown that the HTTP layer itself can answer, as data: the responses,
 * the OpenAPI document and the errors page are all made from this table. Codes of the domain
 * (consent, policy, calls) stand in their own folders and travel through here as refusals.
 */
export type HttpErrorEntry = {
  status: number;
  title: string;
  /** One sentence on what to do; a place that knows more may say it better. */
  fix: string;
};

const entries = {
  invalid_request: {
    status: 400,
    title: 'The request breaks a rule of this route.',
    fix: 'Correct the fields listed under "fields" and send it again.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is not valid JSON.',
    fix: 'Send one JSON object, in UTF-8, with the header Content-Type: application/json.',
  },
  malformed_request: {
    status: 400,
    title: 'The HTTP request itself is malformed.',
    fix: 'Check URL escapes, Content-Length and headers.',
  },
  contact_erased: {
    status: 410,
    title: 'The person was erased.',
    fix: 'Nothing: what this key was answered spoke of a person who was erased since.',
  },
  idempotency_key_missing: {
    status: 400,
    title: 'This route needs an Idempotency-Key.',
    fix: 'Add the header Idempotency-Key with a fresh random text, for example a UUID.',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'The Idempotency-Key has the wrong form.',
    fix: 'Use 1 to 255 visible ASCII characters, for example a UUID.',
  },
  api_key_missing: {
    status: 401,
    title: 'No API key was given.',
    fix: 'Send the header Authorization: Bearer af_test_… (or af_live_…).',
  },
  api_key_unknown: {
    status: 401,
    title: 'This API key is not known.',
    fix: 'Check that the whole key was copied, or make a new one.',
  },
  api_key_revoked: {
    status: 401,
    title: 'This API key was revoked.',
    fix: 'Make a new key and use it instead.',
  },
  forbidden: {
    status: 403,
    title: 'This API key may not do that.',
    fix: 'Use a key of the account and mode that owns the resource.',
  },
  route_not_found: {
    status: 404,
    title: 'There is no such route.',
    fix: 'See /openapi.json for all routes.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing in this account.',
    fix: 'Check the id, and that the API key belongs to the account that owns it.',
  },
  method_not_allowed: {
    status: 405,
    title: 'This route does not take that method.',
    fix: 'Use one of the methods in the Allow header.',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time.',
    fix: 'Send the whole request within 30 seconds.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'The first request with this Idempotency-Key is still running.',
    fix: 'Wait a second and send the same request again; you get the answer of the first.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large.',
    fix: 'Send less in one request.',
  },
  uri_too_long: {
    status: 414,
    title: 'The URL is too long.',
    fix: 'Shorten the path or the query.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body has a content type that is not taken here.',
    fix: 'Send JSON with the header Content-Type: application/json.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'This Idempotency-Key was already used for another request.',
    fix: 'Use a fresh key for every new request; repeat a key only with the very same body.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests.',
    fix: 'Wait as long as the Retry-After header says.',
  },
  too_many_failed_logins: {
    status: 429,
    title: 'Too many requests without a valid API key came from this address.',
    fix: 'Wait as long as the Retry-After header says, then send a valid key.',
  },
  headers_too_large: {
    status: 431,
    title: 'URL and headers are too large.',
    fix: 'Keep URL and headers together below 16 kB.',
  },
  internal_error: {
    status: 500,
    title: 'Something broke on our side.',
    fix: 'Try again; if it stays, give the operator the request_id.',
  },
  upstream_failed: {
    status: 502,
    title: 'A service behind this one answered wrongly.',
    fix: 'Try again; if it stays, give the operator the request_id.',
  },
  outcome_unknown: {
    status: 502,
    title: 'Nobody knows yet whether it happened.',
    fix: 'Do not repeat it under a new key; read the resource until it shows what happened.',
  },
  temporarily_unavailable: {
    status: 503,
    title: 'The service cannot do this right now.',
    fix: 'Send the same request again after the Retry-After header.',
  },
  handler_timeout: {
    status: 503,
    title: 'The request took too long.',
    fix: 'Send the same request, with the same Idempotency-Key, again.',
  },
} as const satisfies Record<string, HttpErrorEntry>;

export type HttpErrorCode = keyof typeof entries;

export const HTTP_ERRORS: Readonly<Record<HttpErrorCode, HttpErrorEntry>> = entries;
