import { z } from 'zod';
import type { Page } from './api-types.ts';
import { HttpError } from './problem.ts';

/**
 * Cursor pages. A cursor is the id of the last item seen, wrapped so that nobody builds on its
 * form; ids sort by time, so pages stay true while rows are added (page numbers would not).
 */
export const PAGE_LIMIT_DEFAULT = 25;
export const PAGE_LIMIT_MAX = 100;

/** Spread it into a route's query schema: `z.object({ ...pageQuery, status: … })`. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_LIMIT_MAX)
    .default(PAGE_LIMIT_DEFAULT)
    .describe('Items on one page.'),
  after: z.string().min(1).max(200).optional().describe('The `next` of the page before.'),
};

export type PageQuery = { limit: number; after?: string | undefined };

export function cursorOf(id: string): string {
  return Buffer.from(id).toString('base64url');
}

const ID_IN_CURSOR = /^[a-z]+(_[0-9a-f-]{36}){1,2}$/;

/**
 * The id behind a cursor, or null for the first page; 400 when the text is no cursor of ours. A
 * plain id is taken too: a receiver heals a gap from the last event id it has.
 */
export function afterIdOf(query: PageQuery): string | null {
  if (query.after === undefined) return null;
  if (ID_IN_CURSOR.test(query.after)) return query.after;
  const id = Buffer.from(query.after, 'base64url').toString();
  if (!ID_IN_CURSOR.test(id)) {
    throw new HttpError('invalid_request', 'The cursor in "after" is not one of ours.', {
      fields: [{ field: 'after', rule: 'cursor', fix: 'Send the "next" of a page unchanged.' }],
    });
  }
  return id;
}

/** Rows fetched with `limit + 1`, made into a page: the extra row only tells that there is more. */
export function pageOf<Row extends { id: string }, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
): Page<View> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? cursorOf(last.id) : null;
  return { items: shown.map(view), next };
}

/** The schema of a page of `item`, for a route's response. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
