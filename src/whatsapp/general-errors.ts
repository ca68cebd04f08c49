import { LATER, NOT_REACHED, REFUSED, row, type MetaErrorRow } from './error-row.ts';

/** Meta gives 200 to 299 to missing permissions of the app, and adds to them freely. */
const APP_PERMISSION_RANGE = Array.from({ length: 100 }, (_, offset) => 200 + offset);

/** What every Cloud API request may meet. */
export const GENERAL_ERRORS: readonly MetaErrorRow[] = [
  // The only code that speaks of the token, whatever the HTTP status is.
  row(
    [190],
    'meta_token_invalid',
    REFUSED,
    'The access token is expired, revoked or wrong.',
    'Make a new system-user token and store it on the line.',
  ),
  row(
    [0, 102],
    'meta_authentication_failed',
    REFUSED,
    'Meta could not authenticate the app or the user of the token.',
    'Make a new system-user token and store it on the line.',
  ),
  row(
    [3, 10, 131005, ...APP_PERMISSION_RANGE],
    'meta_app_permission_missing',
    REFUSED,
    'The token lacks a permission that this request needs.',
    'Grant whatsapp_business_messaging and whatsapp_business_management to the system user.',
  ),
  row(
    [33, 803],
    'meta_object_unknown',
    REFUSED,
    'Meta does not know this phone number id or account id, or the token may not see it.',
    'Compare the ids on the line with those in the WhatsApp Manager.',
  ),
  row(
    [100, 131008],
    'meta_parameter_invalid',
    REFUSED,
    'Meta refused a parameter of the request.',
    'Read the details that Meta gives; for a call it is usually the SDP offer.',
  ),
  row(
    [131021],
    'meta_recipient_is_sender',
    REFUSED,
    'Sender and recipient are the same number.',
    'Use the number of the person as the recipient.',
  ),
  row(
    [613],
    'meta_permission_check_rate_limited',
    LATER,
    'Call permissions were queried too fast.',
    'Wait a second; the stored permission is used meanwhile.',
  ),
  // One OpenAPI file gives permission queries 4 with subcode 2390008 instead of 613.
  row(
    [4, 80007, 130429],
    'meta_rate_limited',
    LATER,
    'The rate limit of the app, account or number is reached.',
    'Wait; the request is sent again later.',
  ),
  row(
    [131048],
    'meta_spam_rate_limited',
    ['terminal', 'upstream'],
    'Meta limits this number because earlier messages were blocked or reported.',
    'Look at the quality rating of the number before sending more.',
  ),
  row(
    [131056],
    'meta_pair_rate_limited',
    LATER,
    'Too many messages to the same person in a short time.',
    'Wait before sending to this person again.',
  ),
  row(
    [131026],
    'meta_undeliverable',
    NOT_REACHED,
    'The message cannot be delivered: not on WhatsApp, terms not accepted, or an old app.',
    'Reach the person in another way.',
  ),
  // Usually not an answer: the send gets 200, and a failed status follows by webhook.
  row(
    [131047],
    'meta_window_closed',
    REFUSED,
    'More than 24 hours have passed since the person last wrote.',
    'Send an approved template instead.',
  ),
  row(
    [131049],
    'meta_ecosystem_limit',
    NOT_REACHED,
    'Meta held the message back to protect the person from too many marketing messages.',
    'Wait at least a day before trying again.',
  ),
  row(
    [130472],
    'meta_recipient_in_experiment',
    NOT_REACHED,
    'Meta does not deliver this message because the person is part of an experiment.',
    'Use another way to reach the person.',
  ),
  row(
    [131050],
    'meta_marketing_opted_out',
    REFUSED,
    'The person has stopped marketing messages from this business.',
    'Send no more marketing messages to this person.',
  ),
  row(
    [131062],
    'meta_user_id_unsupported',
    REFUSED,
    'A business-scoped user id is not supported for this request.',
    'Use the phone number of the person.',
  ),
  row(
    [130497],
    'meta_recipient_country_restricted',
    REFUSED,
    'The business may not message people in this country.',
    'Do not contact people in this country from this account.',
  ),
  row(
    [131031, 368],
    'meta_account_locked',
    REFUSED,
    'The WhatsApp Business account is locked or restricted.',
    'Look at the account quality page in the WhatsApp Manager.',
  ),
  row(
    [131045, 133010],
    'meta_number_not_registered',
    REFUSED,
    'The business number is not registered with the Cloud API.',
    'Register the number first.',
  ),
  row(
    [131057],
    'meta_account_maintenance',
    LATER,
    'The WhatsApp Business account is in maintenance.',
    'Wait; the request is sent again later.',
  ),
  row(
    [1, 2, 131000, 131016],
    'meta_server_error',
    LATER,
    'Meta reports an error or an outage of its own.',
    'Wait; look at the status page of the platform if it persists.',
  ),
];

/** Templates: sending them and making them. */
export const TEMPLATE_ERRORS: readonly MetaErrorRow[] = [
  row(
    [132000],
    'meta_template_variables_mismatch',
    REFUSED,
    'The number of variables differs from that of the template.',
    'Give one value for each variable of the template.',
  ),
  row(
    [132001],
    'meta_template_unknown',
    REFUSED,
    'The template does not exist in this language, or is not approved.',
    'Check name, language and status of the template.',
  ),
  row(
    [132005],
    'meta_template_too_long',
    REFUSED,
    'The template with its variables filled in is too long.',
    'Shorten the values.',
  ),
  row(
    [132007],
    'meta_template_policy_violation',
    REFUSED,
    'The template violates a content policy of WhatsApp.',
    'Change the text of the template and submit it again.',
  ),
  row(
    [132008, 132012],
    'meta_template_variable_invalid',
    REFUSED,
    'A variable has a wrong format.',
    'Compare the values with the samples of the template.',
  ),
  row(
    [132015],
    'meta_template_paused',
    REFUSED,
    'The template is paused because of low quality.',
    'Use another template, or wait until Meta lifts the pause.',
  ),
  row(
    [132016],
    'meta_template_disabled',
    REFUSED,
    'The template is disabled for good because of low quality.',
    'Make a new template with another text.',
  ),
  row(
    [2388019, 2388040, 2388047, 2388073, 2388293, 2388299],
    'meta_template_rejected',
    REFUSED,
    'Meta refused the new template: its variables or its length break a rule.',
    'Put no variable first, last or beside another one, and use more words.',
  ),
  row(
    [2388023, 2388024],
    'meta_template_exists',
    REFUSED,
    'A template of this name and language exists already, or is being deleted.',
    'Use the existing template, or choose another name.',
  ),
];
