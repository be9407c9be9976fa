import { onStopSignals } from '@aipx/service';
import { run } from './run.js';

const signals = onStopSignals();
const readerGone = new AbortController();
// Nobody reads on (`| head -1`): as good as Ctrl-C.
process.stdout.on('error', () => {
  readerGone.abort();
});
process.exitCode = await run(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  note: (text) => void process.stderr.write(text),
  signal: AbortSignal.any([signals.stop, readerGone.signal]),
});
signals.dispose();
