import type { FastifyInstance } from 'fastify';
import { GraphError } from './graph-error.ts';
import { checkWaba, graphRoute, lineOf, type GraphRequest } from './graph-router.ts';
import type { Line, Simulation } from './simulation.ts';
import {
  createTemplate,
  deleteTemplate,
  editTemplate,
  listTemplates,
  templateBody,
} from './templates.ts';

/** The edges of a WhatsApp Business Account, and the fields of a phone number. */
export function addAccountRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'GET', '', 'fields', (request) => nodeFields(sim, request));
  graphRoute(app, sim, 'GET', 'phone_numbers', 'phone_numbers', (request) => {
    checkWaba(sim, request.objectId);
    const lines = [...sim.lines.values()].filter((line) => line.wabaId === request.objectId);
    return {
      data: lines.map(lineFields),
      paging: { cursors: { before: 'MAZDZD', after: 'MAZDZD' } },
    };
  });
  addTemplateRoutes(app, sim);
  addSubscriptionRoutes(app, sim);
}

function addTemplateRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'POST', 'message_templates', 'message_templates', (request) => {
    checkWaba(sim, request.objectId);
    const { id, status, category } = createTemplate(sim, request.objectId, request.body);
    return { id, status, category };
  });
  graphRoute(app, sim, 'GET', 'message_templates', 'message_templates', (request) => {
    checkWaba(sim, request.objectId);
    const { name, status, language } = request.query;
    const found = listTemplates(sim, request.objectId).filter(
      (template) =>
        (name === undefined || template.name === name) &&
        (status === undefined || template.status === status) &&
        (language === undefined || template.language === language),
    );
    return templatePage(found.map(templateBody), request.query);
  });
  graphRoute(app, sim, 'DELETE', 'message_templates', 'message_templates', (request) => {
    checkWaba(sim, request.objectId);
    deleteTemplate(sim, request.objectId, request.query);
    return { success: true };
  });
  // POST /{template id} edits it.
  graphRoute(app, sim, 'POST', '', 'message_templates', (request) => {
    editTemplate(sim, request.objectId, request.body);
    return { success: true };
  });
}

/** Graph gives a cursor with the last page too; only `next` says that there is more. */
function templatePage(all: readonly unknown[], query: Record<string, unknown>) {
  const limit = Math.min(Math.max(Number(query.limit ?? 25) || 25, 1), 1000);
  const text = typeof query.after === 'string' ? query.after : '';
  const start = Number(Buffer.from(text, 'base64url').toString()) || 0;
  const cursor = (index: number): string => Buffer.from(String(index)).toString('base64url');
  const end = start + limit;
  const cursors = { before: cursor(start), after: cursor(end) };
  const next = end < all.length ? { next: `https://graph.facebook.com/?after=${cursor(end)}` } : {};
  return { data: all.slice(start, end), paging: { cursors, ...next } };
}

/** Without a subscription of the app, an account's webhooks go nowhere. */
function addSubscriptionRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'GET', 'subscribed_apps', 'subscribed_apps', (request) => {
    checkWaba(sim, request.objectId);
    if (!sim.apps.subscribed.has(request.objectId)) return { data: [] };
    const api = { id: sim.apps.id, name: 'Simulated app', link: 'https://www.facebook.com/' };
    return { data: [{ whatsapp_business_api_data: api }] };
  });
  graphRoute(app, sim, 'POST', 'subscribed_apps', 'subscribed_apps', async (request) => {
    checkWaba(sim, request.objectId);
    const { override_callback_uri: url, verify_token: token } = request.body;
    if (typeof url === 'string') await register(sim, url, token);
    sim.apps.subscribed.add(request.objectId);
    return { success: true };
  });
  graphRoute(app, sim, 'DELETE', 'subscribed_apps', 'subscribed_apps', (request) => {
    checkWaba(sim, request.objectId);
    sim.apps.subscribed.delete(request.objectId);
    return { success: true };
  });
  // POST /{app id}/subscriptions, where an app registers its webhook address.
  graphRoute(app, sim, 'POST', 'subscriptions', 'subscriptions', async (request) => {
    const { callback_url: url, verify_token: token } = request.body;
    if (typeof url !== 'string') throw new GraphError(100, 'callback_url is required');
    await register(sim, url, token);
    return { success: true };
  });
}

async function register(sim: Simulation, url: string, token: unknown): Promise<void> {
  if (!URL.canParse(url)) throw new GraphError(100, 'The callback URL is not a URL');
  if (await sim.webhooks.register(url, typeof token === 'string' ? token : '')) return;
  throw new GraphError(
    100,
    "The URL couldn't be validated. Response does not match challenge, expected value",
    { subcode: 2200, message: '(#2200) Callback verification failed' },
  );
}

function nodeFields(sim: Simulation, request: GraphRequest): unknown {
  const isWaba = [...sim.lines.values()].some((line) => line.wabaId === request.objectId);
  if (isWaba) return { id: request.objectId, ...analytics(request) };
  return picked(lineFields(lineOf(sim, request.objectId)), request.query.fields);
}

function analytics(request: GraphRequest): Record<string, unknown> {
  const { fields } = request.query;
  if (typeof fields !== 'string' || !fields.includes('call_analytics')) return {};
  return { call_analytics: { data: [{ data_points: [] }] } };
}

function lineFields(line: Line): Record<string, unknown> {
  return {
    id: line.phoneNumberId,
    display_phone_number: line.number,
    verified_name: line.businessName,
    quality_rating: 'GREEN',
    code_verification_status: 'VERIFIED',
    platform_type: 'CLOUD_API',
    throughput: { level: 'STANDARD' },
    messaging_limit_tier: 'TIER_10K',
    status: 'CONNECTED',
  };
}

/** `fields=a,b`: those and the id, as Graph does. */
function picked(all: Record<string, unknown>, fields: unknown): Record<string, unknown> {
  if (typeof fields !== 'string' || fields === '') return all;
  const wanted = new Set(['id', ...fields.split(',').map((field) => field.trim())]);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
}
