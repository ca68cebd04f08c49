/**
 * Meta's error catalogue, as far as calling meets it. HTTP status and code are Meta's own, traps
 * included: 138000 and 138006 come as 401 although the token is fine (calling troubleshooting
 * page, June 2026).
 */
type ErrorEntry = { http: number; message: string };

const CATALOGUE = {
  2: { http: 500, message: 'An unexpected error has occurred. Please retry your request later.' },
  100: { http: 400, message: '(#100) Invalid parameter' },
  190: { http: 401, message: 'Invalid OAuth access token - Cannot parse access token' },
  613: { http: 429, message: '(#613) Calls to this API have exceeded the rate limit.' },
  2635: { http: 400, message: '(#2635) You are calling a deprecated version of the API.' },
  131000: { http: 500, message: '(#131000) Something went wrong' },
  131008: { http: 400, message: '(#131008) Required parameter is missing' },
  131009: { http: 400, message: '(#131009) Parameter value is not valid' },
  131026: { http: 400, message: 'Message undeliverable' },
  131030: { http: 400, message: '(#131030) Recipient phone number not in allowed list' },
  131047: { http: 400, message: 'Re-engagement message' },
  131055: { http: 400, message: '(#131055) Method not allowed' },
  132000: { http: 400, message: '(#132000) Number of parameters does not match' },
  132001: { http: 404, message: '(#132001) Template name does not exist in the translation' },
  132005: { http: 400, message: '(#132005) Translated text too long' },
  132015: { http: 400, message: '(#132015) Template is paused' },
  132016: { http: 400, message: '(#132016) Template is disabled' },
  132012: { http: 400, message: '(#132012) Parameter format does not match format in template' },
  138000: { http: 401, message: '(#138000) Calling API not enabled' },
  138001: { http: 400, message: '(#138001) Receiver uncallable' },
  138002: { http: 429, message: '(#138002) Concurrent calls limit reached' },
  138003: { http: 400, message: '(#138003) Duplicate call' },
  138004: { http: 500, message: '(#138004) Error while connecting the call' },
  138005: { http: 429, message: '(#138005) Call rate limit exceeded' },
  138006: { http: 401, message: '(#138006) No approved call permission from the recipient' },
  138007: { http: 500, message: '(#138007) Connect timeout' },
  138009: { http: 400, message: '(#138009) Call permission request limit reached' },
  138012: { http: 400, message: '(#138012) Business-initiated calls limit reached' },
  138013: { http: 400, message: '(#138013) Business-initiated calling is not available' },
  138014: { http: 400, message: '(#138014) Calling disabled because of low quality' },
  138015: { http: 400, message: '(#138015) Calling cannot be enabled' },
  138017: { http: 400, message: '(#138017) Permanent call permission already exists' },
  138018: { http: 400, message: '(#138018) Calling cannot be enabled' },
  138019: { http: 400, message: 'Call setup failed on the client' },
  138020: { http: 400, message: 'Client could not reach the relay' },
  138021: { http: 400, message: 'No media received from the business' },
  138022: { http: 400, message: 'No media sent by the client' },
  138023: { http: 400, message: 'Call accepted but no media signals' },
} as const satisfies Record<number, ErrorEntry>;

export type MetaErrorCode = keyof typeof CATALOGUE;

/** Thrown inside a Graph handler; the router turns it into Meta's error body. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly code: MetaErrorCode;
  readonly http: number;
  readonly details: string | undefined;
  readonly subcode: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: MetaErrorCode,
    details?: string,
    extra: { subcode?: number; message?: string; http?: number; retryAfterSeconds?: number } = {},
  ) {
    const entry: ErrorEntry = CATALOGUE[code];
    super(extra.message ?? entry.message);
    this.code = code;
    this.http = extra.http ?? entry.http;
    this.details = details;
    this.subcode = extra.subcode;
    this.retryAfterSeconds = extra.retryAfterSeconds;
  }
}

/** The body of a refused Graph request. */
export function errorBody(error: GraphError, traceId: string): Record<string, unknown> {
  return {
    error: {
      message: error.message,
      type: 'OAuthException',
      code: error.code,
      ...(error.subcode === undefined ? {} : { error_subcode: error.subcode }),
      ...(error.details === undefined
        ? {}
        : { error_data: { messaging_product: 'whatsapp', details: error.details } }),
      fbtrace_id: traceId,
    },
  };
}

/** The same failure as it stands in a webhook: in `errors` of a status or of a terminate. */
export function webhookError(code: MetaErrorCode, details: string): Record<string, unknown> {
  const { message } = CATALOGUE[code];
  const title = message.replace(/^\(#\d+\) /, '');
  return {
    code,
    title,
    message: title,
    error_data: { details },
    href: 'https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/',
  };
}
