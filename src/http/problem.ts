import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { Failure, errorText } from '../platform/failure.ts';
import { isoTime } from '../platform/clock.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { Problem } from './api-types.ts';
import { fieldProblems, type FieldProblem } from './field-problems.ts';
import { HTTP_ERRORS, type HttpErrorCode } from './http-errors.ts';

/**
 * The one place that turns whatever went wrong into an RFC 9457 problem. A refusal keeps its own
 * words, a failure its code, a bug nothing at all: the details of a 5xx stay in the log, found
 * there by `request_id`.
 */

export type HttpAnswer = {
  status: number;
  headers: Record<string, string>;
  problem: Problem;
  /** True when an operator must look: 5xx and whatever nobody foresaw. */
  alarming: boolean;
};

export type ProblemContext = {
  requestId: string;
  /** Where the errors page lives; `#code` is put behind it. */
  docsUrl: string;
  /** Codes of the domain, for the title that all problems of one code share. */
  catalogue?: Readonly<Record<string, { title: string }>>;
};

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A "no" of the HTTP layer itself, by its code in `HTTP_ERRORS`. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;
  readonly fix: string | undefined;
  readonly fields: FieldProblem[] | undefined;
  readonly headers: Record<string, string>;
  /** Read by fastify and its plugins. */
  readonly statusCode: number;

  constructor(
    code: HttpErrorCode,
    detail: string,
    more: { fix?: string; fields?: FieldProblem[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.code = code;
    this.fix = more.fix;
    this.fields = more.fields;
    this.headers = more.headers ?? {};
    this.statusCode = HTTP_ERRORS[code].status;
  }
}

/**
 * A refusal on its way out of a route. Thrown only by the HTTP layer: inside a transaction it
 * rolls everything back, so work that must be remembered returns `{ refused }` instead.
 */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly refusal: Refusal;
  readonly status: number;
  /** The fields at fault, where the refusal is about the input. */
  readonly fields: FieldProblem[] | undefined;

  constructor(refusal: Refusal, status: number = REFUSAL_STATUS, fields?: FieldProblem[]) {
    super(refusal.message);
    this.refusal = refusal;
    this.status = status;
    this.fields = fields;
  }
}

/** A refusal is a conflict with how things stand now, unless its thrower knows better. */
export const REFUSAL_STATUS = 409;

/** What to answer to anything that was thrown in a route, a hook or fastify itself. */
export function answerTo(error: unknown, context: ProblemContext): HttpAnswer {
  if (error instanceof RefusalError) return answerToRefusal(error, context);
  if (error instanceof HttpError) {
    return answerWith(error.code, context, {
      detail: error.message,
      headers: error.headers,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      ...(error.fields === undefined ? {} : { fields: error.fields }),
    });
  }
  if (error instanceof Failure) return answerToFailure(error, context);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const part = error.validationContext === 'querystring' ? 'query' : error.validationContext;
    const fields = fieldProblems(error.validation, part ?? 'body');
    const names = fields.map(({ field }) => field).join(', ');
    return answerWith('invalid_request', context, { detail: `Not accepted: ${names}.`, fields });
  }
  return answerToFastify(error, context);
}

function answerToRefusal(error: RefusalError, context: ProblemContext): HttpAnswer {
  const { refusal, status, fields } = error;
  return {
    status,
    headers: {},
    alarming: false,
    problem: {
      ...frame(refusal.code, status, refusal.message, refusal.fix, context),
      title: sentence(context.catalogue?.[refusal.code]?.title ?? 'Refused'),
      ...(refusal.rule === undefined ? {} : { rule: refusal.rule }),
      ...(refusal.evidence === undefined ? {} : { evidence: withTimes(refusal.evidence) }),
      ...(refusal.allowedAt === undefined ? {} : { allowedAt: isoTime(refusal.allowedAt) }),
      ...(refusal.latestAt === undefined ? {} : { latestAt: isoTime(refusal.latestAt) }),
      ...(fields === undefined ? {} : { fields }),
    },
  };
}

/** Instants leave the house as RFC 3339, also inside evidence: there they end in `At`. */
export function withTimes(evidence: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(evidence).map(([name, value]) => {
    const isInstant = name.endsWith('At') && typeof value === 'number';
    return [name, isInstant ? isoTime(value) : value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** The problem body of a refusal, for places that store or batch it instead of throwing. */
export function problemOf(
  refusal: Refusal,
  context: ProblemContext,
  status: number = REFUSAL_STATUS,
  fields?: FieldProblem[],
): Problem {
  return answerToRefusal(new RefusalError(refusal, status, fields), context).problem;
}

/** Titles stand alone on the errors page and here, with one full stop. */
function sentence(title: string): string {
  return title.endsWith('.') ? title : `${title}.`;
}

/**
 * A failure keeps its stable code. Its message may hold host names and paths, so it is shown
 * only where the client itself is to blame; the fix also where the service behind us is.
 */
function answerToFailure(error: Failure, context: ProblemContext): HttpAnswer {
  const base = codeOfSide(error);
  const answer = answerWith(base, context, {
    ...(error.side === 'client' ? { detail: error.message } : {}),
    ...(error.side === 'client' || error.side === 'upstream' ? { fix: error.fix } : {}),
    headers: base === 'temporarily_unavailable' ? { 'retry-after': RETRY_AFTER_SECONDS } : {},
  });
  const named = frame(
    error.code,
    answer.status,
    answer.problem.detail,
    answer.problem.fix,
    context,
  );
  return { ...answer, problem: { ...answer.problem, ...named, title: HTTP_ERRORS[base].title } };
}

function codeOfSide(error: Failure): HttpErrorCode {
  switch (error.side) {
    case 'client':
      return 'malformed_request';
    case 'upstream':
      return 'upstream_failed';
    // An unknown outcome is never called "try again": that is how customers are rung twice.
    case 'indeterminate':
      return 'outcome_unknown';
    case 'server':
      return error.verdict === 'retryable' ? 'temporarily_unavailable' : 'internal_error';
    default:
      return 'internal_error';
  }
}

/** fastify's own error codes, by our name for them; all else is unforeseen. */
const FASTIFY_CODES: Readonly<Record<string, HttpErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_HANDLER_TIMEOUT: 'handler_timeout',
  FST_ERR_VALIDATION: 'invalid_request',
};

const RETRY_AFTER_SECONDS = '2';

/**
 * Sockets that broke, PostgreSQL going away (SQLSTATE classes 08, 53 and 57P), and what it took
 * back because it waited too long or stood in the way of another (57014, 55P03, 25P03, 40001,
 * 40P01). The same request under its key is safe to send again.
 */
const LATER =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|08\w{3}|53\w{3}|57P0\d|57014|55P03|25P03|40001|40P01)$/;
/** What the pool of connections says, without a code, when none becomes free in time. */
const POOL_BUSY = 'timeout exceeded when trying to connect';

function answerToFastify(error: unknown, context: ProblemContext): HttpAnswer {
  const code = textAt(error, 'code');
  const known = FASTIFY_CODES[code];
  if (known !== undefined) return answerWith(known, context, {});
  if (LATER.test(code) || errorText(error) === POOL_BUSY) {
    const headers = { 'retry-after': RETRY_AFTER_SECONDS };
    return answerWith('temporarily_unavailable', context, { headers });
  }
  const status = typeof error === 'object' && error !== null ? statusOf(error) : 500;
  if (status >= 400 && status < 500) {
    return answerWith('malformed_request', context, { detail: errorText(error) });
  }
  return answerWith('internal_error', context, {});
}

function statusOf(error: object): number {
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function textAt(error: unknown, name: 'code'): string {
  if (typeof error !== 'object' || error === null || !(name in error)) return '';
  return typeof error[name as keyof typeof error] === 'string'
    ? (error[name as keyof typeof error] as string)
    : '';
}

function answerWith(
  code: HttpErrorCode,
  context: ProblemContext,
  more: {
    detail?: string;
    fix?: string;
    fields?: FieldProblem[];
    headers?: Record<string, string>;
  },
): HttpAnswer {
  const entry = HTTP_ERRORS[code];
  const detail = more.detail ?? entry.title;
  return {
    status: entry.status,
    // RFC 9110 section 15.5.2: a 401 says how to authenticate.
    headers: entry.status === 401 ? { 'www-authenticate': 'Bearer' } : (more.headers ?? {}),
    alarming: entry.status >= 500,
    problem: {
      ...frame(code, entry.status, detail, more.fix ?? entry.fix, context),
      title: entry.title,
      ...(more.fields === undefined ? {} : { fields: more.fields }),
    },
  };
}

/** The members that every problem has; `type` is the page of the code (RFC 9457 section 3.1.1). */
function frame(
  code: string,
  status: number,
  detail: string,
  fix: string,
  context: ProblemContext,
): Problem {
  const page = `${context.docsUrl}#${code}`;
  return {
    type: page,
    title: detail,
    status,
    code,
    detail,
    fix,
    docs_url: page,
    request_id: context.requestId,
  };
}
