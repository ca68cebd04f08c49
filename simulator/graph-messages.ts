import type { FastifyInstance } from 'fastify';
import { GraphError } from './graph-error.ts';
import { recipientOf } from './graph-recipient.ts';
import { graphRoute, lineOf } from './graph-router.ts';
import { acceptMessage } from './messages.ts';
import { waIdOf } from './meta-ids.ts';
import type { Simulation } from './simulation.ts';

/** POST /{phone number id}/messages. */
export function addMessageRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'POST', 'messages', 'messages', (request) => {
    const line = lineOf(sim, request.objectId);
    const { body } = request;
    if (body.messaging_product !== 'whatsapp') {
      throw new GraphError(100, 'messaging_product must be whatsapp');
    }
    // Read receipts of the business use the same endpoint.
    if (body.status === 'read') return { success: true };
    const person = recipientOf(sim, body);
    if (line.allowList !== null && !line.allowList.has(person.number)) {
      throw new GraphError(131030, 'Add this recipient to the list of the test number.');
    }
    const message = acceptMessage(sim, line, person, body);
    const byNumber = typeof body.to === 'string' && body.to !== '';
    return {
      messaging_product: 'whatsapp',
      contacts: [
        {
          input: byNumber ? body.to : body.recipient,
          ...(byNumber ? { wa_id: waIdOf(person.number) } : {}),
          user_id: person.userId,
        },
      ],
      messages: [
        { id: message.id, ...(body.type === 'template' ? { message_status: 'accepted' } : {}) },
      ],
    };
  });
}
