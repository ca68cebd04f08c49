import { BUILT_IN_TEMPLATES, DEFAULT_LANGUAGE, DEFAULT_TEMPLATE } from '../templates/template.ts';
import type { CallingSettings } from '../whatsapp/whatsapp.ts';
import { check, failed, judge, ok, unknown, warning } from './finding.ts';
import type { Check, Finding, GoLiveFacts, TemplateStatus } from './golive.ts';

/** What only Meta can tell about a line: its own answers, judged one by one. */
export function metaChecks(facts: GoLiveFacts): Check[] {
  const { phoneNumber, settings, subscribedApps, templates, line } = facts;
  return [
    check('token', 'The access token works', true, tokenFinding(facts)),
    check(
      'number',
      'The phone number id belongs to this number',
      true,
      judge(phoneNumber, (value) => numberFinding(line.displayNumber, value.displayPhoneNumber)),
    ),
    check(
      'quality',
      "Customers' quality rating of the number is good",
      false,
      judge(phoneNumber, ({ qualityRating }) => qualityFinding(qualityRating)),
    ),
    check(
      'calling_enabled',
      'Calling is enabled on the number',
      true,
      judge(settings, ({ enabled }) =>
        enabled
          ? ok('Calling is enabled.')
          : failed(
              'Calling is off, as it is on every new number; Meta answers 138000.',
              'POST /v1/lines/{id}/calling with {"enabled":true}, or switch it on in WhatsApp ' +
                'Manager → Phone numbers → Call settings.',
            ),
      ),
    ),
    check(
      'sip_off',
      'The number is not in SIP mode',
      true,
      judge(settings, ({ sipEnabled }) =>
        sipEnabled
          ? failed(
              'SIP is enabled at Meta, so calls through the Graph API are refused (131055).',
              'Disable SIP in the call settings of the number; Askfirst speaks SIP to your PBX, ' +
                'not to Meta.',
            )
          : ok('Calls are signalled through the Graph API.'),
      ),
    ),
    check(
      'key_exchange',
      'Line and Meta agree how the keys of the sound are exchanged',
      true,
      judge(settings, (value) => exchangeFinding(line.keyExchange, value.keyExchange)),
    ),
    check(
      'restrictions',
      'Meta does not restrict calls from the number',
      true,
      judge(settings, (value) => restrictionFinding(value.restrictions, facts)),
    ),
    check(
      'app_subscribed',
      'An app is subscribed to the WhatsApp Business account',
      true,
      judge(subscribedApps, (apps) => subscriptionFinding(apps)),
    ),
    check(
      'template_approved',
      'A permission template is approved',
      true,
      judge(templates, templateFinding),
    ),
  ];
}

/** One good answer proves the token; the other questions then tell their own trouble. */
function tokenFinding(facts: GoLiveFacts): Finding {
  const answers = [facts.phoneNumber, facts.settings, facts.subscribedApps, facts.templates];
  if (answers.some((answer) => answer.ok)) return ok('Meta answered with it.');
  const refused = answers.find((answer) => !answer.ok && answer.isFinal) ?? answers[0];
  if (refused === undefined || refused.ok) return ok('Meta answered with it.');
  const { code, message, fix, isFinal } = refused;
  if (isFinal) return failed(`${message} (${code})`, fix);
  return unknown(`Could not be asked: ${message} (${code})`, fix);
}

function numberFinding(ours: string, theirs: string): Finding {
  const digits = (text: string): string => text.replace(/\D/g, '');
  if (digits(ours) === digits(theirs)) return ok(`Meta shows it as ${theirs}.`);
  return failed(
    `The line says ${ours}, but this phone number id is ${theirs} at Meta.`,
    'Copy the phone number id of the right number from WhatsApp Manager → API setup, and save ' +
      'the line again.',
  );
}

/** With different ones Meta refuses the offer before any phone rings. */
function exchangeFinding(ours: string, theirs: string): Finding {
  if (ours === theirs) return ok(`Both have ${ours.toUpperCase()}.`);
  return failed(
    `The line has ${ours.toUpperCase()}, Meta ${theirs.toUpperCase()}: calls will be refused.`,
    `POST /v1/lines/{id}/key-exchange with {"keyExchange":"${theirs}"} takes Meta's, with ` +
      `"${ours}" it sets Meta to the line's.`,
  );
}

function qualityFinding(rating: string | undefined): Finding {
  if (rating === undefined || rating === 'UNKNOWN') {
    return ok('Meta has not rated the number yet.');
  }
  if (rating === 'GREEN') return ok('The rating is GREEN.');
  return warning(
    `The rating is ${rating}.`,
    'Ask fewer people and with better reasons; blocks and reports lower it, and Meta then ' +
      'restricts calling.',
  );
}

/** A pause for low quality blocks calls and permission requests alike, for seven days. */
function restrictionFinding(
  restrictions: CallingSettings['restrictions'],
  { now, gate }: GoLiveFacts,
): Finding {
  const stored = gate.get('line_not_restricted');
  const bars = restrictions.filter(
    ({ type, expiresAt }) =>
      /BUSINESS_INITIATED|BIZ_INITIATED/.test(type) && (expiresAt === null || expiresAt > now),
  );
  const [bar] = bars;
  if (bar !== undefined) {
    const until = bar.expiresAt === null ? '' : ` until ${new Date(bar.expiresAt).toISOString()}`;
    return failed(
      `Meta restricts the number${until}: ${bar.type}${bar.reason ? ` (${bar.reason})` : ''}.`,
      'Wait until it ends, and find out what customers complained about.',
    );
  }
  if (stored !== undefined) return failed(stored.message, stored.fix);
  return ok('There is no restriction.');
}

function subscriptionFinding(apps: readonly string[]): Finding {
  if (apps.length > 0) {
    return ok(
      `Subscribed: ${apps.join(', ')}. Meta does not tell which fields; calls and messages are ` +
        'needed (see webhook_received).',
    );
  }
  return failed(
    'No app is subscribed, so no webhook about this number is sent to anybody.',
    'POST /{WhatsApp Business account id}/subscribed_apps with the token of the line.',
  );
}

/** Those that one step of going live submits; any other may be used as well. */
const CHECKED = BUILT_IN_TEMPLATES.filter(
  ({ language, nativePermissionRequest }) =>
    language === DEFAULT_LANGUAGE && nativePermissionRequest,
);

function templateFinding(templates: readonly TemplateStatus[]): Finding {
  const ours = CHECKED.map(({ name, language }) => {
    const found = templates.find((it) => it.name === name && it.language === language);
    return { name, status: found?.status.toUpperCase() ?? 'not submitted' };
  });
  const list = ours.map(({ name, status }) => `${name}: ${status}`).join(', ');
  const approved = ours.filter(({ status }) => status === 'APPROVED');
  if (approved.length === 0) {
    return failed(
      `None can be sent (${list}).`,
      'POST /v1/lines/{id}/templates submits them; approval takes minutes to a day.',
    );
  }
  if (approved.some(({ name }) => name === DEFAULT_TEMPLATE)) return ok(`${list}.`);
  return warning(
    `${list}.`,
    `Requests use ${DEFAULT_TEMPLATE} unless they name another one: name an approved one, or ` +
      'POST /v1/lines/{id}/templates.',
  );
}
