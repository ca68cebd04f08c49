import { z } from 'zod';

/**
 * Meta's JSON, as it comes. The schemas are tolerant on purpose, because Meta's own pages
 * contradict each other and add fields without notice: unknown fields are dropped, a field of an
 * unexpected type reads as absent, and nothing in a webhook is refused for its shape.
 * Snake_case ends with this file and its two readers (webhook-parse.ts, client.ts).
 */
const MS_PER_SECOND = 1000;
/** Above this, a number of seconds would lie beyond the year 5138: it must be milliseconds. */
const SECONDS_MAX = 100_000_000_000;
const DATE_MS_MAX = 8_640_000_000_000_000;

/** A field that reads as absent when Meta sends something else than we know. */
function maybe<T extends z.ZodType>(schema: T) {
  return schema.optional().catch(undefined);
}

/** An array whose odd items are kept as they are, so that one bad item never hides the rest. */
const items = z.array(z.unknown()).catch([]);

/** Ids are strings, but template ids (and some samples) come as JSON numbers. */
const idText = z.union([z.string().min(1), z.number().int().transform(String)]);

/**
 * Meta's times are seconds: a string in the guides, an integer in captured payloads
 * (`expiration_timestamp` is documented as one and captured as the other).
 */
const seconds = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^\d{1,16}$/)
      .transform(Number),
  ])
  .transform((value) => (value > SECONDS_MAX ? value : value * MS_PER_SECOND))
  .refine((value) => Number.isFinite(value) && value >= 0 && value <= DATE_MS_MAX);

const wholeNumber = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^\d{1,12}$/)
      .transform(Number),
  ])
  .refine((value) => Number.isFinite(value) && value >= 0);

/** Words such as `Failed` or `["COMPLETED"]`, which the guide spells in several ways. */
const word = z
  .union([
    z.string(),
    z
      .array(z.string())
      .min(1)
      .transform((list) => list[0] ?? ''),
  ])
  .transform((value) => value.trim().toLowerCase());

export const envelopeWire = z.object({ entry: items });
export const entryWire = z.object({
  id: maybe(idText),
  time: maybe(seconds),
  changes: items,
});
export const changeWire = z.object({
  field: z.string().catch('no_field'),
  value: z.record(z.string(), z.unknown()).catch({}),
});

const metadataWire = z.object({
  phone_number_id: maybe(idText),
  display_phone_number: maybe(idText),
});

const contactWire = z.object({
  wa_id: maybe(idText),
  user_id: maybe(idText),
  parent_user_id: maybe(idText),
  profile: maybe(z.object({ name: maybe(z.string()), username: maybe(z.string()) })),
});
export type ContactWire = z.infer<typeof contactWire>;

const errorWire = z.object({
  code: z.union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ]),
  title: maybe(z.string()),
  message: maybe(z.string()),
  error_data: maybe(z.object({ details: maybe(z.string()) })),
});
/** Reads what can be read of an `errors` array; anything else in it is passed over. */
export const errorsWire = z
  .array(errorWire.nullable().catch(null))
  .catch([])
  .transform((list) => list.filter((item) => item !== null));
export type ErrorWire = z.infer<typeof errorWire>;

/** The `value` of the `calls` and `messages` fields. */
export const valueWire = z.object({
  metadata: metadataWire.catch({}),
  contacts: z
    .array(contactWire.nullable().catch(null))
    .catch([])
    .transform((list) => list.filter((item) => item !== null)),
  calls: maybe(z.array(z.unknown())),
  statuses: maybe(z.array(z.unknown())),
  messages: maybe(z.array(z.unknown())),
  errors: errorsWire,
});
export type ValueWire = z.infer<typeof valueWire>;

export const callWire = z.object({
  id: idText,
  from: maybe(idText),
  from_user_id: maybe(idText),
  from_parent_user_id: maybe(idText),
  to: maybe(idText),
  to_user_id: maybe(idText),
  to_parent_user_id: maybe(idText),
  event: word,
  direction: maybe(word),
  timestamp: maybe(seconds),
  status: maybe(word),
  start_time: maybe(seconds),
  end_time: maybe(seconds),
  duration: maybe(wholeNumber),
  biz_opaque_callback_data: maybe(z.string()),
  session: maybe(z.object({ sdp_type: maybe(word), sdp: z.string().min(1) })),
  errors: errorsWire,
});
export type CallWire = z.infer<typeof callWire>;

export const statusWire = z.object({
  id: idText,
  type: maybe(word),
  status: word,
  timestamp: maybe(seconds),
  recipient_id: maybe(idText),
  recipient_user_id: maybe(idText),
  recipient_parent_user_id: maybe(idText),
  biz_opaque_callback_data: maybe(z.string()),
  errors: errorsWire,
});
export type StatusWire = z.infer<typeof statusWire>;

const choiceWire = z.object({ id: maybe(z.string()), title: z.string().catch('') });

export const messageWire = z.object({
  id: idText,
  from: maybe(idText),
  from_user_id: maybe(idText),
  from_parent_user_id: maybe(idText),
  timestamp: maybe(seconds),
  type: word.catch('no_type'),
  context: maybe(z.object({ id: maybe(idText) })),
  text: maybe(z.object({ body: z.string() })),
  button: maybe(z.object({ text: z.string().catch(''), payload: maybe(z.string()) })),
  system: maybe(
    z.object({
      type: word.catch(''),
      wa_id: maybe(idText),
      // Until Graph v11; newer samples have `wa_id`.
      new_wa_id: maybe(idText),
      user_id: maybe(idText),
      previous_user_id: maybe(idText),
    }),
  ),
  interactive: maybe(
    z.object({
      type: word,
      button_reply: maybe(choiceWire),
      list_reply: maybe(choiceWire),
      call_permission_reply: maybe(
        z.object({
          response: word,
          is_permanent: z.boolean().catch(false),
          expiration_timestamp: maybe(seconds),
          response_source: maybe(word),
        }),
      ),
    }),
  ),
});
export type MessageWire = z.infer<typeof messageWire>;

export const templateStatusWire = z.object({
  event: z.string(),
  message_template_id: maybe(idText),
  message_template_name: z.string(),
  message_template_language: z.string().catch(''),
  reason: maybe(z.string()),
  rejection_info: maybe(z.object({ reason: maybe(z.string()), recommendation: maybe(z.string()) })),
});

const ofTemplate = {
  message_template_id: maybe(idText),
  message_template_name: z.string(),
  message_template_language: z.string().catch(''),
};

export const templateQualityWire = z.object({ ...ofTemplate, new_quality_score: z.string() });

export const templateCategoryWire = z.object({
  ...ofTemplate,
  new_category: z.string(),
  correct_category: maybe(z.string()),
});

export const accountUpdateWire = z.object({
  event: z.string(),
  phone_number: maybe(idText),
  restriction_info: z
    .array(
      z
        .object({ restriction_type: z.string(), expiration: maybe(seconds) })
        .nullable()
        .catch(null),
    )
    .catch([])
    .transform((list) => list.filter((item) => item !== null)),
  violation_info: maybe(z.object({ violation_type: maybe(z.string()) })),
});

export const settingsUpdateWire = z.object({
  type: maybe(word),
  timestamp: maybe(seconds),
  phone_number_settings: z.object({ phone_number_id: idText }),
});

/** Answers of the Graph API. Here a missing field is a failure, so these are less tolerant. */
export const graphErrorWire = z.object({
  error: z.object({
    code: z.union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
    ]),
    error_subcode: maybe(z.number()),
    message: maybe(z.string()),
    error_user_msg: maybe(z.string()),
    error_data: maybe(z.object({ details: maybe(z.string()) })),
    fbtrace_id: maybe(z.string()),
  }),
});

export const sentMessageWire = z.object({
  contacts: z.array(contactWire.nullable().catch(null)).catch([]),
  messages: z.array(z.object({ id: z.string().min(1) })).min(1),
});

export const placedCallWire = z.object({
  calls: z.array(z.object({ id: z.string().min(1) })).min(1),
});

export const successWire = z.object({ success: z.literal(true) });

export const callPermissionsWire = z.object({
  permission: z.object({ status: word, expiration_time: maybe(seconds) }),
  actions: z
    .array(
      z.object({
        action_name: z.string(),
        can_perform_action: z.boolean().catch(false),
        limits: z
          .array(
            z.object({
              time_period: z.string().catch(''),
              max_allowed: z.number().catch(0),
              current_usage: z.number().catch(0),
              limit_expiration_time: maybe(seconds),
            }),
          )
          .catch([]),
      }),
    )
    .catch([]),
});

const clockWire = z.string().regex(/^\d{4}$/);
export const callHoursWire = z.object({
  status: maybe(word),
  timezone_id: maybe(z.string()),
  weekly_operating_hours: z
    .array(z.object({ day_of_week: word, open_time: clockWire, close_time: clockWire }))
    .catch([]),
  holiday_schedule: z.array(z.object({ date: z.string() })).catch([]),
});

export const settingsWire = z.object({
  calling: maybe(
    z.object({
      status: maybe(word),
      sip: maybe(z.object({ status: maybe(word) })),
      srtp_key_exchange_protocol: maybe(word),
      callback_permission_status: maybe(word),
      call_hours: maybe(callHoursWire),
      restrictions: maybe(
        z.object({
          restrictions_list: z
            .array(
              z.object({
                type: z.string(),
                reason: maybe(z.string()),
                expiration: maybe(seconds),
              }),
            )
            .catch([]),
        }),
      ),
    }),
  ),
});

export const createdTemplateWire = z.object({ id: idText, status: z.string().catch('PENDING') });

export const templateListWire = z.object({
  data: z.array(
    z.object({
      id: idText.catch(''),
      name: z.string(),
      language: z.string().catch(''),
      status: z.string().catch('UNKNOWN'),
      category: z.string().catch(''),
      rejected_reason: maybe(z.string()),
      quality_score: maybe(z.object({ score: z.string() })),
      components: z.array(z.unknown()).catch([]),
    }),
  ),
  paging: maybe(
    z.object({ cursors: maybe(z.object({ after: maybe(z.string()) })), next: maybe(z.string()) }),
  ),
});

export type ListedTemplateWire = z.infer<typeof templateListWire>['data'][number];

export const templateComponentWire = z.object({
  type: z.string().transform((text) => text.toUpperCase()),
  format: maybe(z.string()),
  text: maybe(z.string()),
  example: maybe(z.object({ body_text: maybe(z.array(z.array(z.string()))) })),
  buttons: maybe(z.array(z.object({ type: z.string(), text: z.string().catch('') }))),
});

export const phoneNumberWire = z.object({
  display_phone_number: z.string(),
  verified_name: maybe(z.string()),
  quality_rating: maybe(z.string()),
});

export const subscribedAppsWire = z.object({
  data: z.array(
    z.object({
      id: maybe(idText),
      whatsapp_business_api_data: maybe(z.object({ id: maybe(idText), name: maybe(z.string()) })),
    }),
  ),
});
