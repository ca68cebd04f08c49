import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import type { EndpointDesk } from './endpoint-desk.ts';
import { saveGuard, type AccountGuard } from './guard-store.ts';
import { HOST_ENTRY, isHostEntry, OPEN_GUARD } from './target-guard.ts';

const cap = z.int().min(1).max(1_000_000).nullable().default(null);

const guardShape = z.strictObject({
  allowedHosts: z
    .array(z.string().max(300).refine(isHostEntry, HOST_ENTRY))
    .max(200)
    .nullable()
    .default(null)
    .describe('Hosts that endpoints may be on; null is any. The operator has a list as well.'),
  pstnPrefixes: z
    .array(z.string().regex(/^[+0-9]{1,15}$/, 'is digits, such as 00, or a plus sign'))
    .max(50)
    .default([...OPEN_GUARD.pstnPrefixes])
    .describe('A user part of 7 digits or more that begins so is a telephone number.'),
  keyMaxCalls: cap.describe('Calls at a time of one API key; null is without end.'),
  keyMinutesPerDay: cap.describe('Minutes of talk in a day (UTC) of one API key.'),
});

const guardSchema = guardShape.extend({
  operatorHosts: z
    .array(z.string())
    .nullable()
    .describe('ASKFIRST_SIP_ALLOWED_HOSTS, which holds for all accounts.'),
});

/** The VoIP guard of an account: where calls may go, and how much one key may use up. */
export function registerGuardRoutes(
  app: HttpServer,
  context: ApiContext & {
    endpointDesk: EndpointDesk;
    settings: { ASKFIRST_SIP_ALLOWED_HOSTS: string[] | null };
  },
): void {
  const { database, endpointDesk, settings } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['endpoints'];
  const response = { 200: guardSchema };
  const view = (guard: AccountGuard): z.infer<typeof guardSchema> => ({
    ...guard,
    allowedHosts: guard.allowedHosts === null ? null : [...guard.allowedHosts],
    pstnPrefixes: [...guard.pstnPrefixes],
    operatorHosts: settings.ASKFIRST_SIP_ALLOWED_HOSTS,
  });

  app.get(
    '/v1/voip-guard',
    { onRequest, schema: { tags, summary: 'Where calls may go, and how many', response } },
    async (request) => {
      await endpointDesk.refresh();
      return view(endpointDesk.accountGuard(accountOf(request).accountId));
    },
  );

  app.put(
    '/v1/voip-guard',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Replace it; holds for endpoints that exist, from the next call on',
        body: guardShape,
        response,
      },
    },
    async (request) => {
      await saveGuard(database, accountOf(request).accountId, request.body);
      endpointDesk.forget();
      return view(request.body);
    },
  );
}
