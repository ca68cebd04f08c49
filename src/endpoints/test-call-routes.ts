import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { probeEndpoint } from '../golive/endpoint-probe.ts';
import { readSipTls } from '../sip/tls-credentials.ts';
import type { EndpointDesk } from './endpoint-desk.ts';
import { ownEndpoint } from './endpoint-routes.ts';
import { openEndpoint } from './endpoint-store.ts';
import { testEndpoint, type TestCallPorts } from './test-call-desk.ts';

const reportSchema = z.object({
  endpointId: z.string(),
  name: z.string(),
  ok: z.boolean().describe('Every target answered and was heard.'),
  targets: z.array(
    z.object({
      uri: z.string(),
      ok: z.boolean(),
      code: z.string().describe('ok, slow, dns, certificate, password, codec_refused, no_audio …'),
      what: z.string(),
      fix: z.string().nullable(),
      sipStatus: z.number().nullable(),
    }),
  ),
});

type TestCallContext = ApiContext &
  Omit<TestCallPorts, 'whyUnreachable'> & {
    endpointDesk: EndpointDesk;
    settings: Parameters<typeof readSipTls>[0] & { ASKFIRST_SIP_ADDRESS: string };
  };

/** `POST /v1/endpoints/{id}/test`: a real call to each target, without any customer in it. */
export function registerTestCallRoutes(app: HttpServer, context: TestCallContext): void {
  const { sealer, ids, endpointDesk, settings } = context;
  const whyUnreachable = async (uri: string): Promise<string | null> => {
    const authorities = readSipTls(settings).authorities;
    const bindAddress = settings.ASKFIRST_SIP_ADDRESS;
    const probed = await probeEndpoint({ ...context, bindAddress, authorities }, uri);
    return probed.kind === 'refused' ? probed.reason : null;
  };
  /** One at a time: a test takes real ports and rings real desks. */
  const underWay = new Set<string>();

  app.post(
    '/v1/endpoints/:id/test',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['endpoints'],
        summary: 'Call each target, listen for audio, and say what is wrong',
        params: z.object({ id: z.string() }),
        response: { 200: reportSchema },
      },
    },
    async (request) => {
      const stored = await ownEndpoint(context, request, request.params.id);
      const { id, name, accountId } = stored;
      if (underWay.has(id)) {
        throw new HttpError('rate_limited', 'A test call to this endpoint is under way.', {
          fix: 'Wait for its answer; it takes half a minute at most.',
          headers: { 'retry-after': '20' },
        });
      }
      underWay.add(id);
      try {
        await endpointDesk.refresh();
        const endpoint = openEndpoint(stored, sealer);
        const guard = endpointDesk.guardOf(accountId);
        const ports = { ...context, whyUnreachable };
        const report = await testEndpoint(ports, endpoint, guard, ids.next('request'));
        return { endpointId: id, name, ...report };
      } finally {
        underWay.delete(id);
      }
    },
  );
}
