import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { listLines, type StoredLine } from '../lines/line-store.ts';
import { comparable, readAnyPack, type AnyPack } from './packs.ts';
import { diffPacks } from '../policy/pack-diff.ts';
import { diffView, packView } from './rulebook-views.ts';

const diffQuery = z.object({
  from: z.string().min(1).max(100).describe('Name of a pack or law overlay.'),
  to: z.string().min(1).max(100),
});
const tags = ['policy'];

/** Which packs and laws there are, and what differs between two of them. */
export function registerPackRoutes(app: HttpServer, context: ApiContext): void {
  const { database, packs } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/policy/packs',
    {
      onRequest,
      schema: {
        tags,
        summary: 'All packs and law overlays with their values and sources',
        response: { 200: z.object({ items: z.array(packView), next: z.null() }) },
      },
    },
    async (request) => {
      const lines = await listLines(database, accountOf(request).accountId);
      const bases = packs.names().map((name) => ({ kind: 'pack', ...packs.of(name) }) as const);
      const laws = packs.laws().map((law) => ({ kind: 'law', ...law }) as const);
      const items = [...bases, ...laws].map((pack) => viewOf(pack, lines));
      return { items, next: null };
    },
  );

  app.get(
    '/v1/policy/diff',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What differs between two packs or laws, value by value',
        querystring: diffQuery,
        response: { 200: diffView },
      },
    },
    async ({ query: { from, to } }) => {
      const [before, after] = [packNamed(context, from, 'from'), packNamed(context, to, 'to')];
      return { from, to, differences: diffPacks(comparable(before), comparable(after)) };
    },
  );
}

function packNamed({ packs }: ApiContext, name: string, field: string): AnyPack {
  const pack = readAnyPack(packs, name);
  if (pack !== null) return pack;
  throw new HttpError('invalid_request', `There is no pack named ${name}.`, {
    fields: [
      {
        field,
        rule: 'names a pack or law of this release',
        fix: 'GET /v1/policy/packs lists them.',
      },
    ],
  });
}

function viewOf(pack: AnyPack, lines: readonly StoredLine[]): z.infer<typeof packView> {
  const { name, kind, title, date } = pack;
  const using = lines.filter(({ policyPack }) => policyPack === name).map(({ id }) => id);
  const { rules = {}, remarks = [], ...values } = comparable(pack);
  const appliesTo = pack.kind === 'law' ? pack.appliesTo : null;
  const source =
    pack.kind === 'law' ? pack.source : { title: pack.source.title, url: pack.source.slug };
  return {
    name,
    kind,
    title,
    date,
    source,
    appliesTo,
    values,
    rules: rules as z.infer<typeof packView>['rules'],
    remarks: remarks as string[],
    usedByLines: using,
  };
}
