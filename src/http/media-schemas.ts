import { z } from 'zod';

/** What the media plane measured of a call, as the record shows it. */
const srtpSchema = z.enum(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80', 'DTLS_SRTP']).nullable();
const codecOrNull = z.enum(['opus', 'PCMU', 'PCMA']).nullable();

const legSchema = z.object({
  packetsIn: z.number(),
  packetsOut: z.number(),
  packetsLost: z.number(),
  packetsLate: z.number().describe('Came after their turn; where we transcode.'),
  jitterMs: z.number(),
  rttMs: z.number().nullable().describe('Round trip by RTCP, the latest.'),
  mos: z.number().nullable().describe('What came in, by the E-model; 1 to 4.4.'),
  far: z
    .object({ packetsLost: z.number(), jitterMs: z.number(), mos: z.number() })
    .nullable()
    .describe('What the far side reports of our stream to it.'),
  firstPacketInAt: z.number().nullable().describe('Milliseconds since 1970.'),
  firstPacketOutAt: z.number().nullable().describe('Milliseconds since 1970.'),
  firstSoundInAt: z.number().nullable().describe('The first that was not silence.'),
  dtmfIn: z.number().describe('How many keys were pressed there (RFC 4733), not which.'),
});

export const mediaStatsOrNull = z
  .object({
    codec: codecOrNull.describe("What the endpoint's leg spoke."),
    transcoded: z.boolean(),
    srtp: srtpSchema,
    iceConnectedAt: z.number().nullable(),
    connectedAt: z.number().nullable(),
    whatsappSrtp: srtpSchema.describe('How the audio toward WhatsApp was encrypted.'),
    whatsappCodec: codecOrNull.describe('What the leg of WhatsApp spoke.'),
    whatsapp: legSchema,
    endpoint: legSchema,
  })
  .nullable();
