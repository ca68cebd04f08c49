import { request } from 'undici';
import type { Problem } from '../http/api-types.ts';
import type { Random } from '../platform/random.ts';

/** A small client of our own API, for the demo: JSON in, JSON out, problems as values. */
export type ApiClient = {
  get<T>(path: string): Promise<T>;
  /** POSTs with this idempotency key, or a fresh one; a problem is returned, not thrown. */
  post<T>(path: string, body: unknown, idempotencyKey?: string): Promise<T | Problem>;
};

export function makeApiClient(baseUrl: string, apiKey: string, random: Random): ApiClient {
  const headers = { authorization: `Bearer ${apiKey}` };
  return {
    async get<T>(path: string): Promise<T> {
      const answer = await request(`${baseUrl}${path}`, { headers });
      return (await answer.body.json()) as T;
    },
    async post<T>(path: string, body: unknown, idempotencyKey?: string): Promise<T | Problem> {
      const key = idempotencyKey ?? Buffer.from(random.bytes(16)).toString('hex');
      const answer = await request(`${baseUrl}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      });
      return (await answer.body.json()) as T | Problem;
    },
  };
}

export function isProblem(answer: object): answer is Problem {
  return 'fix' in answer && 'status' in answer && typeof answer.status === 'number';
}
