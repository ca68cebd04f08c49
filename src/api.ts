import fastifyStatic from '@fastify/static';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { registerAgentOwnRoutes } from './agents/agent-own-routes.ts';
import { registerAgentRoutes } from './agents/agent-routes.ts';
import { registerStopAllRoutes } from './accounts/stop-all-routes.ts';
import { registerBrakeRoutes } from './brakes/brake-routes.ts';
import { registerCampaignRoutes } from './campaigns/campaign-routes.ts';
import { registerCallActionRoutes } from './calls/call-action-routes.ts';
import { registerCdrExportJobRoutes } from './calls/cdr-export-job-routes.ts';
import { registerCdrExportRoutes } from './calls/cdr-export-routes.ts';
import { registerCdrRoutes } from './calls/cdr-routes.ts';
import { registerCallRoutes } from './calls/call-routes.ts';
import { ORDER_CODES } from './calls/order-codes.ts';
import { registerCheckpointRoutes } from './checkpoints/checkpoint-routes.ts';
import { registerConsentRoutes } from './consent/consent-routes.ts';
import { registerOptOutRoutes } from './consent/opt-out-routes.ts';
import { registerStopPageRoutes } from './consent/stop-page-routes.ts';
import { registerContactRoutes } from './contacts/contact-routes.ts';
import { registerDiagnosisRoutes } from './diagnosis/diagnosis-routes.ts';
import { registerContactImportRoutes } from './contacts/contact-import-routes.ts';
import { registerDoNotCallRoutes } from './do-not-call/do-not-call-routes.ts';
import { registerEndpointChangeRoutes } from './endpoints/endpoint-change-routes.ts';
import { registerEndpointRoutes } from './endpoints/endpoint-routes.ts';
import { registerHealthCheckRoutes } from './endpoints/health-routes.ts';
import { makeHealthGauge } from './endpoints/health-worker.ts';
import { registerGuardRoutes } from './endpoints/guard-routes.ts';
import { registerTestCallRoutes } from './endpoints/test-call-routes.ts';
import { registerRoutingRoutes } from './endpoints/routing-routes.ts';
import { registerCostRoutes } from './costs/cost-routes.ts';
import { errorCatalogue } from './error-catalogue.ts';
import { registerEvidenceRoutes } from './evidence/evidence-routes.ts';
import { registerExperimentRoutes } from './experiments/experiment-routes.ts';
import { registerGoLiveRoutes } from './golive/golive-routes.ts';
import { makeAuthenticator } from './http/auth.ts';
import { registerDocsRoutes } from './http/docs-routes.ts';
import { registerHealthRoutes } from './http/health-routes.ts';
import { makeHttpMetrics } from './http/metrics.ts';
import { openHttpServer, type HttpServer } from './http/server.ts';
import { registerStreamRoutes } from './http/stream-routes.ts';
import { registerKpiRoutes } from './kpis/kpi-routes.ts';
import { registerJourneyRoutes } from './journeys/journey-routes.ts';
import { registerLedgerRoutes } from './ledger/ledger-routes.ts';
import type { LineWebhookSecrets } from './lines/line.ts';
import { registerLineRoutes } from './lines/line-routes.ts';
import { registerOutcomeRoutes } from './outcomes/outcome-routes.ts';
import { registerPromptRoutes } from './prompts/prompt-routes.ts';
import { registerPacingRoutes } from './schedule/pacing-routes.ts';
import { registerScriptRoutes } from './scripts/script-routes.ts';
import { registerPrivacyRoutes } from './privacy/privacy-routes.ts';
import { registerRulebookRoutes } from './rulebook/rulebook-routes.ts';
import { registerRecordingRoutes } from './recording/recording-routes.ts';
import type { ServerCore } from './server-core.ts';
import { advertisedAddress } from './settings.ts';
import { registerMessageRoutes } from './messages/message-routes.ts';
import { Failure } from './platform/failure.ts';
import { registerTemplateRoutes } from './templates/template-routes.ts';
import { registerPracticeRoutes } from './practices/practice-routes.ts';
import { registerSurveyRoutes } from './surveys/survey-routes.ts';
import { RUN_FAILURES } from './failure-codes.ts';
import type { ProblemCatalogue } from './http/openapi.ts';
import { REFUSALS } from './policy/refusal-codes.ts';
import type { Egress } from './webhooks/egress.ts';
import { registerEventRoutes } from './webhooks/event-routes.ts';
import { registerWebhookRoutes } from './webhooks/webhook-routes.ts';
import type { Intake } from './whatsapp/intake.ts';
import { intakeRoutes } from './whatsapp/intake-routes.ts';

/** The `api` role: REST under /v1, Meta's webhooks, health, metrics and the page. */
export type ApiPorts = ServerCore & {
  intake: Intake;
  secretsOf: () => Promise<LineWebhookSecrets[]>;
  egress: Egress;
  wakeDeliveries: () => void;
};

export const VERSION = '0.1.0';
/** Secrets of lines are read again after this long, so a new line needs no restart. */
const SECRETS_FRESH_MS = 2_000;

export type OpenApi = {
  /** Base URL; null where it does not listen. */
  url: string | null;
  inject: (request: InjectOptions) => Promise<LightMyRequestResponse>;
  close(): Promise<void>;
};

export async function openApi(ports: ApiPorts): Promise<OpenApi> {
  const { settings, log, clock, ids, database, simulatorUrl } = ports;
  const metrics = makeHttpMetrics();
  for (const metric of ports.optOutLatency.metrics) metrics.registry.registerMetric(metric);
  metrics.registry.registerMetric(makeHealthGauge(database));
  const app = await openHttpServer({
    log,
    clock,
    ids,
    docsUrl: settings.ASKFIRST_DOCS_URL,
    connectOrigins: simulatorUrl === null ? [] : [simulatorUrl],
    problemCatalogue: problemCatalogue(),
    metrics,
    requestsPerMinute: settings.ASKFIRST_REQUESTS_PER_MINUTE,
    version: VERSION,
  });
  const authenticator = makeAuthenticator({ database, clock });
  const context = { ...ports, authenticator };
  registerDocsRoutes(app, errorCatalogue());
  registerHealthRoutes(app, { database, clock, metrics });
  registerConsentRoutes(app, context);
  registerTemplateRoutes(app, context);
  registerMessageRoutes(app, context);
  registerCallRoutes(app, context);
  registerAftermath(app, context);
  registerCallActionRoutes(app, context);
  registerRecordingRoutes(app, context);
  registerOptOutRoutes(app, context);
  registerStopPageRoutes(app, context);
  registerContactRoutes(app, context);
  registerEvidenceRoutes(app, context);
  registerPrivacyRoutes(app, context);
  registerLedgerRoutes(app, context);
  registerCheckpointRoutes(app, context);
  registerDoNotCallRoutes(app, context);
  registerContactImportRoutes(app, context);
  registerDiagnosisRoutes(app, context);
  registerKpiRoutes(app, context);
  registerBrakeRoutes(app, context);
  registerStopAllRoutes(app, context);
  registerLineRoutes(app, context);
  registerRulebookRoutes(app, context);
  registerGoLiveRoutes(app, context);
  registerEndpointRoutes(app, context);
  registerEndpointChangeRoutes(app, context);
  registerHealthCheckRoutes(app, context);
  registerTestCallRoutes(app, { ...context, advertisedAddress: advertisedAddress(settings) });
  registerGuardRoutes(app, context);
  registerRoutingRoutes(app, context);
  registerPacingRoutes(app, context);
  registerPromptRoutes(app, context);
  registerScriptRoutes(app, context);
  registerAgentRoutes(app, context);
  registerAgentOwnRoutes(app, context);
  registerExperimentRoutes(app, context);
  registerJourneyRoutes(app, context);
  registerCampaignRoutes(app, context);
  registerStreamRoutes(app, context);
  registerEventRoutes(app, context);
  registerWebhookRoutes(app, context);
  await app.register(intakeRoutes, { intake: ports.intake, log, lookup: freshSecrets(ports) });
  await servePage(app, ports);
  const listens = ports.listens ?? true;
  const url = listens ? await listen(app, settings.ASKFIRST_HOST, settings.PORT) : null;
  return {
    url,
    inject: (request) => app.inject(request),
    async close() {
      await app.close();
      await ports.intake.close();
    },
  };
}

type Context = Parameters<typeof registerCdrExportJobRoutes>[1];

/** What stays of a call: its record, what came of it, how it was, what it may have cost. */
function registerAftermath(app: HttpServer, context: Context): void {
  registerCdrRoutes(app, context);
  registerCdrExportRoutes(app, context);
  registerCdrExportJobRoutes(app, context);
  registerOutcomeRoutes(app, context);
  registerSurveyRoutes(app, context);
  registerPracticeRoutes(app, context);
  registerCostRoutes(app, context);
}

/** What routes refuse with, beside the codes of HTTP itself. */
function problemCatalogue(): ProblemCatalogue {
  const answered = Object.entries(RUN_FAILURES).flatMap(([code, { status, ...entry }]) =>
    status === undefined || status >= 500 ? [] : [[code, { ...entry, status }] as const],
  );
  return { ...REFUSALS, ...ORDER_CODES, ...Object.fromEntries(answered) };
}

function freshSecrets(ports: ApiPorts) {
  let known: { verifyTokens: string[]; appSecrets: string[] } | null = null;
  let readAt = 0;
  return async () => {
    const now = ports.clock.monotonic();
    if (known !== null && now - readAt < SECRETS_FRESH_MS) return known;
    const secrets = await ports.secretsOf();
    known = {
      verifyTokens: secrets.map(({ verifyToken }) => verifyToken),
      appSecrets: secrets.map(({ appSecret }) => appSecret),
    };
    readAt = now;
    return known;
  };
}

async function servePage(app: HttpServer, ports: ApiPorts): Promise<void> {
  const { webFolder, simulatorUrl } = ports;
  app.get('/web-config.json', { schema: { hide: true } }, async () => ({
    simulatorUrl,
    version: VERSION,
  }));
  if (webFolder === null) return;
  await app.register(fastifyStatic, { root: webFolder, index: 'index.html', cacheControl: false });
  // The page of people who answer in the browser; it takes the token of an agent, not a key.
  app.get('/agent', { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html'));
}

async function listen(app: HttpServer, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code !== 'EADDRINUSE') throw cause;
    throw new Failure({
      code: 'port_in_use',
      message: `Port ${port} on ${host} is already taken.`,
      fix: `Stop the other program, or choose another port: PORT=${port + 1} npm start`,
      verdict: 'terminal',
      side: 'client',
      cause,
    });
  }
}
