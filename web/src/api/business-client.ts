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
  put<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
  /** Sends a file as it is; as CSV unless told. */
  upload<T>(path: string, file: File, query: Query, type?: string): Promise<T>;
  /** A file for this page alone. */
  fetchFile(path: string): Promise<Blob>;
  /** Fetches a file with the key, which a plain link could not carry, and saves it. */
  download(path: string, name: string): Promise<void>;
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
  const fetchFile = async (path: string): Promise<Blob> => {
    const answer = await fetch(baseUrl + path, { headers, cache: 'no-store' });
    if (!answer.ok) throw new ProblemError(readProblem(answer.status, await answer.json()));
    return answer.blob();
  };
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
    put: (path, body) =>
      send(path, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    patch: (path, body) =>
      send(path, {
        method: 'PATCH',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    delete: (path) => send(path, { method: 'DELETE', headers }),
    upload: (path, file, query, type = 'text/csv') =>
      send(path + queryText(query), {
        method: 'POST',
        headers: { ...headers, 'content-type': type },
        body: file,
      }),
    fetchFile,
    download: async (path, name) => saveFile(await fetchFile(path), name),
  };
}

function saveFile(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
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
