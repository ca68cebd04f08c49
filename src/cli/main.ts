import { Command } from 'commander';
import { addAuditCommands } from './audit-commands.ts';
import { addCallCommands } from './call-commands.ts';
import { addCampaignCommands } from './campaign-commands.ts';
import { addCdrCommands } from './cdr-commands.ts';
import { addKpiCommands } from './kpi-commands.ts';
import { addEndpointCommands } from './endpoint-commands.ts';
import { addPolicyCommands } from './policy-commands.ts';
import { runStart } from './start.ts';
import { checkScriptFile } from './script-check.ts';
import { lintTemplateFile } from './template-lint.ts';

const LOCAL_URL = 'http://127.0.0.1:8080';

/** The `askfirst` command. Data goes to stdout, messages to stderr; exit code 0 means success. */
const program = new Command('askfirst')
  .description('Ask first, then call: WhatsApp business-initiated calling.')
  .version('0.1.0')
  .showHelpAfterError('Run with --help to see what there is.')
  .addHelpText(
    'after',
    `
Examples:
  npm start                      everything on this machine, with the simulator
  npm run demo                   one whole call with real audio, proven
  npm run demo -- --json         the same; the last line is one JSON object
  npx askfirst serve             the server alone, for a real line at Meta
  npx askfirst doctor            what each line still needs before it goes live
  npx askfirst endpoint test ID  call it, and say what is wrong
  npx askfirst calls list        calls that wait, the next one first
  npx askfirst campaigns list    campaigns, and how far they are
  npx askfirst simulator         the simulator alone, to test your own code against`,
  );

program
  .command('start')
  .description('Start everything: database, simulator, demo PBX, server and page.')
  .action(() => runStart({ simulator: true }));

program
  .command('serve')
  .description('Start the server without the simulator.')
  .action(() => runStart({ simulator: false }));

program
  .command('demo')
  .description('Play one whole call with real audio and prove every step.')
  .option('--json', 'print one JSON object as the last line')
  .action(async (options: { json?: boolean }) => {
    const { runDemo } = await import('./demo.ts');
    process.exit(await runDemo({ json: options.json === true }));
  });

program
  .command('simulator')
  .description('Start the simulator of Meta and the demo PBX alone.')
  .option('--port <port>', 'port of the Graph API and the control API', '8090')
  .option('--pbx-port <port>', 'SIP port of the demo PBX', '5070')
  .option('--webhook <url>', 'where webhooks go')
  .action(async (options: { port: string; pbxPort: string; webhook?: string }) => {
    process.env['SIMULATOR_PORT'] = options.port;
    process.env['SIMULATOR_PBX_PORT'] = options.pbxPort;
    if (options.webhook !== undefined) process.env['SIMULATOR_WEBHOOK_URL'] = options.webhook;
    await import('../../simulator/simulator-main.ts');
  });

program
  .command('doctor')
  .description('Ask a running server what each line still needs before it calls real people.')
  .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? LOCAL_URL)
  .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
  .option('--json', 'print one JSON object')
  .action(async (options: { url: string; key?: string; json?: boolean }) => {
    const { runDoctor } = await import('./doctor.ts');
    process.exitCode = await runDoctor({
      url: options.url,
      apiKey: options.key ?? process.env['ASKFIRST_API_KEY'] ?? '',
      json: options.json === true,
      write: (text) => void process.stdout.write(text),
    });
  });

program
  .command('diagnose')
  .argument('<problem>', 'call_denied, request_not_received, low_grant_rate or high_opt_out_rate')
  .description('Find out why a call is denied, a request is not received, or a rate is bad.')
  .option('--to <person>', 'number or user id of the customer')
  .option('--line <id>', 'the line, where the account has several')
  .option('--purpose <text>', 'what the call is for')
  .option('--days <days>', 'how far back the rates are counted')
  .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? LOCAL_URL)
  .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
  .option('--json', 'print one JSON object')
  .action(async (problem: string, options: Record<string, string> & { json?: boolean }) => {
    const { runDiagnose } = await import('./diagnose.ts');
    const apiKey = options['key'] ?? process.env['ASKFIRST_API_KEY'] ?? '';
    process.exitCode = await runDiagnose({
      problem,
      url: options['url'] ?? LOCAL_URL,
      apiKey,
      to: options['to'],
      line: options['line'],
      purpose: options['purpose'],
      days: options['days'],
      json: options.json === true,
      write: (text) => void process.stdout.write(text),
    });
  });

addPolicyCommands(program, LOCAL_URL);
addEndpointCommands(program, LOCAL_URL);
addAuditCommands(program, LOCAL_URL);
addCdrCommands(program, LOCAL_URL);
addKpiCommands(program, LOCAL_URL);
addCallCommands(program, LOCAL_URL);
addCampaignCommands(program, LOCAL_URL);

program
  .command('template')
  .description('Message templates.')
  .command('lint')
  .argument('<file>', 'JSON of a template, as for POST /v1/templates or as Meta has it; - is stdin')
  .option('--json', 'print one JSON object')
  .description('Say what Meta or a customer would find wrong with a template.')
  .action((file: string, options: { json?: boolean }) => {
    process.exitCode = lintTemplateFile(file, options);
  });

program
  .command('script')
  .description('Call scripts.')
  .command('check')
  .argument('<file>', 'JSON of a script, or of an 8x8 call flow; - is stdin')
  .option('--keys <entries>', 'what the customer types at each question, such as 7,1')
  .option('--json', 'print one JSON object')
  .description('Say what is wrong with a script, and play it dry.')
  .action((file: string, options: { json?: boolean; keys?: string }) => {
    process.exitCode = checkScriptFile(file, options);
  });

await program.parseAsync();
