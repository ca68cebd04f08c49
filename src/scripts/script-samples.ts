/**
 * Scripts to begin with: `GET /v1/scripts/samples` and the page show them. They are written as an
 * author would, and a test checks that each is whole.
 */
export const SCRIPT_SAMPLES = [
  {
    name: 'Appointment reminder',
    language: 'en',
    variables: {
      date: { about: 'The day, as it is to be said, such as Tuesday the third of June' },
      time: { about: 'The time of day, such as half past two' },
    },
    optOutKey: '9',
    steps: [
      {
        name: 'reminder',
        do: 'gather',
        prompt: {
          say:
            'Good day. This is {{business}}. You have an appointment on {{date}} at {{time}}. ' +
            'To confirm it, press 1. To choose another time, press 2. To speak with the ' +
            'receptionist, press 0. If you want no more calls from us, press 9.',
        },
        firstDigitTimeoutMs: 6000,
        tries: 3,
        onInvalid: {
          say: 'Press 1 to confirm, 2 for another time, 0 for the receptionist, 9 to stop calls.',
        },
        cases: { '1': 'confirmed', '2': 'reschedule', '0': 'receptionist' },
        onFail: 'noAnswer',
      },
      {
        name: 'confirmed',
        do: 'say',
        set: { result: 'confirmed' },
        text: 'Thank you. We look forward to seeing you on {{date}} at {{time}}. Goodbye.',
        next: 'end',
      },
      {
        name: 'reschedule',
        do: 'say',
        set: { result: 'reschedule' },
        text: 'Thank you. We will send you a message with other times. Goodbye.',
        next: 'end',
      },
      {
        name: 'receptionist',
        do: 'connect',
        set: { result: 'receptionist' },
        onFail: 'nobodyThere',
      },
      {
        name: 'nobodyThere',
        do: 'say',
        set: { result: 'call_back' },
        text: 'The receptionist is busy. We will send you a message. Goodbye.',
        next: 'end',
      },
      {
        name: 'noAnswer',
        do: 'say',
        set: { result: 'no_answer' },
        text: 'We did not hear from you. We will send you a message. Goodbye.',
      },
    ],
  },
  {
    name: 'Delivery update',
    language: 'en',
    variables: {
      window: { about: 'When it comes, such as between two and four in the afternoon' },
      order: { about: 'Order number, as it is to be said' },
    },
    optOutKey: '*',
    steps: [
      {
        name: 'update',
        do: 'say',
        text: 'Hello. This is {{business}}. Your order {{order}} arrives today {{window}}.',
      },
      {
        name: 'choice',
        do: 'gather',
        prompt: {
          say:
            'If that suits you, press 1. To speak with us, press 2. ' +
            'To get no more calls, press star.',
        },
        cases: { '1': 'suits', '2': 'agent' },
        onFail: 'bye',
      },
      { name: 'suits', do: 'say', set: { result: 'suits' }, text: 'Thank you.', next: 'bye' },
      { name: 'agent', do: 'connect', set: { result: 'agent' }, onFail: 'later' },
      {
        name: 'later',
        do: 'say',
        set: { result: 'call_back' },
        text: 'All our colleagues are busy. We will get back to you.',
      },
      { name: 'bye', do: 'say', text: 'Goodbye.' },
    ],
  },
] as const;
