import { z } from 'zod';
import type { EventView } from '../http/api-types.ts';
import { isoTime } from '../platform/clock.ts';
import type { DeliveryRow } from './deliveries-store.ts';
import type { EventRow } from './events-store.ts';
import type { WebhookEndpoint } from './webhook-endpoints-store.ts';
import { EVENT_TYPES } from './webhooks.ts';

/** What the routes of events and webhook endpoints take and answer. */
const instant = z.string().describe('RFC 3339, UTC');

export const endpointIdParams = z.object({ id: z.string() });

export const newEndpointBody = z.strictObject({
  url: z.string().min(1).max(4_000).describe('Where events are POSTed to.'),
  eventTypes: z
    .array(z.enum(EVENT_TYPES))
    .max(EVENT_TYPES.length)
    .default([])
    .describe('Empty: all types.'),
});

export const changeEndpointBody = z.strictObject({
  url: newEndpointBody.shape.url.optional(),
  eventTypes: newEndpointBody.shape.eventTypes.unwrap().optional(),
});

export const disableBody = z
  .strictObject({ reason: z.string().trim().min(1).max(200).optional() })
  .nullish();

export const recoverBody = z.strictObject({
  since: z.iso.datetime({ offset: true }).describe('Send all that was not taken since then.'),
});

export const redeliverBody = z
  .strictObject({ webhookEndpointId: z.string().optional() })
  .nullish()
  .describe('Without an endpoint: to all that want this type.');

export const endpointSchema = z.object({
  id: z.string(),
  url: z.string(),
  eventTypes: z.array(z.string()),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  createdAt: instant,
});

export const newEndpointSchema = endpointSchema.extend({
  secret: z.string().describe('Shown this once; it verifies the signature of every delivery.'),
});

export const secretSchema = z.object({
  secret: z.string(),
  previousUntil: instant.describe('Until then the one before signs too.'),
});

export const tryoutSchema = z.object({
  delivered: z.boolean(),
  status: z.number().nullable().describe('What the receiver answered.'),
  error: z.string().nullable(),
  ms: z.number(),
});

export const queuedSchema = z.object({ queued: z.number().describe('Deliveries.') });

export const deliverySchema = z.object({
  id: z.string(),
  eventId: z.string(),
  eventType: z.string().nullable().describe('Null once the event is no longer kept.'),
  eventAt: instant.nullable(),
  status: z.enum(['pending', 'delivered', 'failed', 'held']),
  attempts: z.number(),
  nextAttemptAt: instant.nullable(),
  lastStatus: z.number().nullable(),
  lastError: z.string().nullable(),
  deliveredAt: instant.nullable(),
});

export const eventTypeSchema = z.object({
  type: z.string(),
  when: z.string().describe('When it is sent.'),
});

export const eventSchema = z.object({
  id: z.string(),
  type: z.string(),
  timestamp: instant,
  sequence: z.number(),
  callId: z.string().nullable(),
  contactId: z.string(),
  data: z.record(z.string(), z.unknown()),
}) satisfies z.ZodType<EventView>;

export function endpointView(endpoint: WebhookEndpoint): z.infer<typeof endpointSchema> {
  const { id, url, eventTypes, enabled, disabledReason, createdAt } = endpoint;
  return { id, url, eventTypes, enabled, disabledReason, createdAt: isoTime(createdAt) };
}

export function deliveryView(row: DeliveryRow): z.infer<typeof deliverySchema> {
  return {
    id: row.id,
    eventId: row.event_id,
    eventType: row.event_type,
    eventAt: row.event_at === null ? null : isoTime(row.event_at),
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.status === 'pending' ? isoTime(row.next_attempt_at) : null,
    lastStatus: row.last_status,
    lastError: row.last_error,
    deliveredAt: row.delivered_at === null ? null : isoTime(row.delivered_at),
  };
}

export function eventView(row: EventRow): EventView {
  const data = row.payload['data'];
  return {
    id: row.id,
    type: row.type,
    timestamp: isoTime(row.at),
    sequence: row.sequence,
    callId: row.call_id,
    contactId: row.contact_id,
    data: typeof data === 'object' && data !== null ? { ...data } : {},
  };
}
