import { saveAccountSetting } from '../accounts/account-store.ts';
import type { ApiContext } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import { practicesFor } from './practice-lookup.ts';
import { practicesSchema } from './practices.ts';

const tags = ['practices'];

/** How strictly an account holds its own people to the best practices of the product page. */
export function registerPracticeRoutes(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: practicesSchema };

  app.get(
    '/v1/practices',
    { onRequest, schema: { tags, summary: 'The best practices that are held', response } },
    async (request) => {
      const { accountId } = accountOf(request);
      return practicesFor(database, accountId);
    },
  );

  app.put(
    '/v1/practices',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Set them; what is left out gets its default',
        body: practicesSchema,
        response,
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const wanted = request.body;
      await database.transaction((tx) => saveAccountSetting(tx, accountId, 'practices', wanted));
      return wanted;
    },
  );
}
