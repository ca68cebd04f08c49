/**
 * The four use cases that business-initiated calling is made for, as journeys that can be started
 * at once. They are written as an author would, installed by one request, and changed as any
 * other; a test checks that each is whole and plays it.
 */
export type ReadyJourney = {
  key: string;
  title: string;
  about: string;
  /** Scripts by name, installed along from the samples where the account has none so called. */
  scripts: readonly string[];
  journey: { name: string; [field: string]: unknown };
};

const BEFORE = (offset: string) => ({ relativeTo: 'appointmentAt', offset });
const APPOINTMENT = {
  template: 'appointment_callback_request',
  variables: ['{{contactName}}', '{{date}}', '{{time}}'],
  purpose: 'your appointment on {{date}} at {{time}}',
};
const REMINDER = {
  script: 'Appointment reminder',
  scriptVariables: { date: '{{date}}', time: '{{time}}' },
  priority: 6,
  next: 'answer',
};

const appointmentReminder = {
  name: 'Appointment reminder with callback',
  about: 'Asks a day before, calls an hour before; the person confirms, moves it, or talks to you.',
  variables: {
    appointmentAt: { type: 'instant', about: 'When it is, such as 2026-06-03T14:30:00Z' },
    date: { about: 'The day as it is read and said, such as Tuesday the third of June' },
    time: { about: 'The time of day as it is read and said, such as half past two' },
  },
  steps: [
    {
      name: 'ask',
      do: 'ask',
      at: BEFORE('-24h'),
      notAfter: BEFORE('-90m'),
      ...APPOINTMENT,
      promise: BEFORE('-1h'),
      onRefused: 'notAsked',
    },
    { name: 'yes', do: 'wait', for: 'yes', until: BEFORE('-1h'), else: 'silent', onNo: 'declined' },
    {
      name: 'call',
      do: 'call',
      at: BEFORE('-1h'),
      notAfter: BEFORE('-20m'),
      ...REMINDER,
      // The yes may be older than a day by now, where it was there before the question.
      onNoPermission: 'askAgain',
      onRefused: 'notCalled',
    },
    {
      name: 'answer',
      do: 'branch',
      on: 'result',
      cases: { confirmed: 'survey', reschedule: 'otherTimes', receptionist: 'survey' },
      else: 'missed',
    },
    { name: 'survey', do: 'survey', next: 'over' },
    { name: 'over', do: 'branch', on: 'result', cases: { confirmed: 'confirmed' }, else: 'end' },
    { name: 'confirmed', do: 'end', result: 'confirmed' },
    {
      name: 'otherTimes',
      do: 'message',
      text: 'Thank you, {{contactName}}. Write to us here which day and time would suit you.',
    },
    { name: 'moved', do: 'end', result: 'reschedule' },
    {
      name: 'missed',
      do: 'message',
      text: 'We could not reach you about your appointment on {{date}} at {{time}}. Write to us.',
    },
    { name: 'unreached', do: 'end', result: 'not_reached' },
    {
      name: 'askAgain',
      do: 'ask',
      notAfter: BEFORE('-30m'),
      ...APPOINTMENT,
      onRefused: 'notAsked',
    },
    {
      name: 'yesAgain',
      do: 'wait',
      for: 'yes',
      until: BEFORE('-15m'),
      else: 'silent',
      onNo: 'declined',
    },
    { name: 'callNow', do: 'call', notAfter: BEFORE('-10m'), ...REMINDER, onRefused: 'notCalled' },
    { name: 'silent', do: 'end', result: 'no_answer' },
    { name: 'declined', do: 'end', result: 'declined' },
    { name: 'notAsked', do: 'end', result: 'not_asked' },
    { name: 'notCalled', do: 'end', result: 'not_called' },
  ],
};

const AGENT = { about: 'Name or id of the endpoint that calls; empty: by routing', default: '' };

const deliveryUpdate = {
  name: 'Delivery update with live agent',
  about: 'Started by your system when a delivery is late: asks, and an agent explains.',
  variables: {
    order: { about: 'The order or parcel, as the person knows it, such as 1042' },
    agent: AGENT,
  },
  steps: [
    {
      name: 'ask',
      do: 'ask',
      template: 'delivery_callback_request',
      variables: ['{{contactName}}', '{{order}}'],
      purpose: 'the delay of your delivery {{order}}',
      onRefused: 'notAsked',
    },
    {
      name: 'yes',
      do: 'wait',
      for: 'yes',
      until: { after: '4h' },
      else: 'silent',
      onNo: 'declined',
    },
    {
      name: 'call',
      do: 'call',
      endpoint: '{{agent}}',
      within: '30m',
      priority: 7,
      onRefused: 'notCalled',
    },
    { name: 'how', do: 'branch', on: 'outcome', cases: { completed: 'survey' }, else: 'missed' },
    { name: 'survey', do: 'survey' },
    { name: 'told', do: 'end', result: 'told' },
    {
      name: 'missed',
      do: 'message',
      text: 'We tried to call you about your delivery {{order}}. Write to us here at any time.',
    },
    { name: 'unreached', do: 'end', result: 'not_reached' },
    { name: 'silent', do: 'end', result: 'no_answer' },
    { name: 'declined', do: 'end', result: 'declined' },
    { name: 'notAsked', do: 'end', result: 'not_asked' },
    { name: 'notCalled', do: 'end', result: 'not_called' },
  ],
};

const salesFollowUp = {
  name: 'Sales follow-up',
  about: 'Your bot starts it from the chat; a sales rep calls within five minutes of the yes.',
  variables: {
    product: { about: 'What the person asked about, such as the family plan' },
    agent: AGENT,
  },
  steps: [
    {
      name: 'ask',
      do: 'ask',
      template: 'sales_callback_request',
      variables: ['{{contactName}}', '{{product}}'],
      purpose: 'your questions about {{product}}',
      onRefused: 'notAsked',
    },
    {
      name: 'yes',
      do: 'wait',
      for: 'yes',
      until: { after: '12h' },
      else: 'silent',
      onNo: 'declined',
    },
    {
      name: 'call',
      do: 'call',
      endpoint: '{{agent}}',
      within: '5m',
      priority: 9,
      notAfter: { after: '30m' },
      onRefused: 'notCalled',
    },
    { name: 'how', do: 'branch', on: 'outcome', cases: { completed: 'survey' }, else: 'unreached' },
    { name: 'survey', do: 'survey' },
    { name: 'talked', do: 'end', result: 'talked' },
    { name: 'unreached', do: 'end', result: 'not_reached' },
    { name: 'silent', do: 'end', result: 'no_answer' },
    { name: 'declined', do: 'end', result: 'declined' },
    { name: 'notAsked', do: 'end', result: 'not_asked' },
    { name: 'notCalled', do: 'end', result: 'not_called' },
  ],
};

const supportCallback = {
  name: 'Support callback',
  about: 'The agent starts it from the chat, and the same agent calls after the yes.',
  variables: {
    issue: { about: 'What it is about, such as your account set-up' },
    agent: { about: 'Name or id of the endpoint of the agent who asks; the same one calls' },
  },
  steps: [
    {
      name: 'ask',
      do: 'ask',
      template: 'support_callback_request',
      variables: ['{{contactName}}', '{{issue}}'],
      purpose: 'your question about {{issue}}',
      onRefused: 'notAsked',
    },
    {
      name: 'yes',
      do: 'wait',
      for: 'yes',
      until: { after: '45m' },
      else: 'silent',
      onNo: 'declined',
    },
    {
      name: 'call',
      do: 'call',
      endpoint: '{{agent}}',
      within: '10m',
      priority: 8,
      onRefused: 'notCalled',
    },
    { name: 'how', do: 'branch', on: 'outcome', cases: { completed: 'survey' }, else: 'unreached' },
    { name: 'survey', do: 'survey' },
    { name: 'helped', do: 'end', result: 'helped' },
    { name: 'unreached', do: 'end', result: 'not_reached' },
    { name: 'silent', do: 'end', result: 'no_answer' },
    { name: 'declined', do: 'end', result: 'declined' },
    { name: 'notAsked', do: 'end', result: 'not_asked' },
    { name: 'notCalled', do: 'end', result: 'not_called' },
  ],
};

export const READY_JOURNEYS: readonly ReadyJourney[] = [
  {
    key: 'appointment-reminder',
    title: 'Appointment reminder with callback',
    about: appointmentReminder.about,
    scripts: ['Appointment reminder'],
    journey: appointmentReminder,
  },
  {
    key: 'delivery-update',
    title: 'Delivery update with live agent',
    about: deliveryUpdate.about,
    scripts: [],
    journey: deliveryUpdate,
  },
  {
    key: 'sales-follow-up',
    title: 'Sales follow-up',
    about: salesFollowUp.about,
    scripts: [],
    journey: salesFollowUp,
  },
  {
    key: 'support-callback',
    title: 'Support callback',
    about: supportCallback.about,
    scripts: [],
    journey: supportCallback,
  },
];
