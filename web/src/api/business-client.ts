import type { Problem } from '../../../src/http/api-types.ts';

/** Carries the problem the API answered (RFC 9457), so the page can show message, fix and code. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

export type Query = Record<string, string | number | undefined>;

/** The business API as this page uses it; every method throws a `ProblemError`. */
export type BusinessClient = {
  baseUrl: string;
  apiKey: string;
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body: unknown, idempotencyKey?: string): Promise<T>;
};

export function makeBusinessClient(baseUrl: string, apiKey: string): BusinessClient {
  const send = async <T>(path: string, init: RequestInit): Promise<T> => {
    let answer: Response;
    try {
      answer = await fetch(baseUrl + path, { ...init, cache: 'no-store' });
    } catch {
      throw new ProblemError(unreachable(baseUrl));
    }
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok) throw new ProblemError(readProblem(answer.status, body));
    return body as T;
  };
  const headers = { authorization: `Bearer ${apiKey}` };
  return {
    baseUrl,
    apiKey,
    get: (path, query = {}) => send(path + queryText(query), { headers }),
    post: (path, body, idempotencyKey) =>
      send(path, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        body: JSON.stringify(body),
      }),
  };
}

/** True when trying the very same thing again may help: nothing reached the server. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.code === 'server_unreachable';
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return localProblem('page_error', detail, 'Load the page again.');
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  return params.size === 0 ? '' : `?${params.toString()}`;
}

/** A proxy or a crash may answer something that is no problem document; it is named as such. */
function readProblem(status: number, body: unknown): Problem {
  if (typeof body === 'object' && body !== null && 'code' in body && 'fix' in body) {
    return body as Problem;
  }
  const detail = `The server answered ${status} without saying why.`;
  return { ...localProblem('no_reason_given', detail, 'Look at the log of Askfirst.'), status };
}

function unreachable(baseUrl: string): Problem {
  return localProblem(
    'server_unreachable',
    `Nothing answers at ${baseUrl}.`,
    'Start Askfirst with npm start; the page comes back by itself.',
  );
}

function localProblem(code: string, detail: string, fix: string): Problem {
  return {
    type: 'about:blank',
    title: detail,
    status: 0,
    code,
    detail,
    fix,
    docs_url: '',
    request_id: '',
  };
}

/** True when the API said that this key opens nothing. */
export function isWrongKey(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.status === 401;
}
