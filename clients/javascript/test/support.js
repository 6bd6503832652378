/** The real service, which tests/clients/test_javascript.py starts, and a server that answers what a test says. */

import { createServer } from 'node:http';

export const key = process.env.IOPAINT_API_KEY;
export const needsService = { skip: !process.env.IOPAINT_BASE_URL && 'IOPAINT_BASE_URL names no service' };

export const RESULT = {
  'Content-Type': 'image/png',
  'X-Image-Size': '4x3',
  'X-Mask-Source': 'provided',
  'X-Mask-Pixels': '5',
  'X-Mask-Coverage': '0.4167',
  'X-Processing-Time': '0.1',
  'X-Credits-Charged': '1',
};

export const done = () => ({ status: 200, headers: RESULT, body: 'picture' });

const MOMENT = '2026-12-01T00:00:00.123456Z';

/** Answers as the service has them, with what matters to a test. */
export const batchOf = (given) => ({
  ...{ id: 'b', status: 'queued', total: 1, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
  ...{ created_at: MOMENT, started_at: null, finished_at: null, expires_at: MOMENT, metadata: {} },
  ...given,
});
export const itemOf = (given) => ({
  ...{ batch: 'b', index: 0, name: '-', status: 'succeeded', position: null, error: null, result: null },
  ...given,
});
export const resultAt = (url) => ({ url, width: 1, height: 1, coverage: 1, seconds: 1, expires_at: MOMENT });

/** A stream of [type, body], which ends. */
export const eventStream = (...events) => ({
  status: 200,
  headers: { 'Content-Type': 'text/event-stream' },
  body: events.map(([type, data], id) => `: alive\n\nevent: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`).join(''),
});

export function refusal(status, code, headers = {}) {
  const body = JSON.stringify({ error: '-', detail: 'A text.', status_code: status, code, request_id: 'r-1' });
  return { status, body, headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'r-1', ...headers } };
}

/** Writes it again and again, until nobody reads any more. */
function flood(outgoing, piece) {
  while (!outgoing.destroyed && outgoing.write(piece));
  if (!outgoing.destroyed) outgoing.once('drain', () => flood(outgoing, piece));
}

/** A server that gives `answer(request)`, whose request has its body; null: the connection is cut. */
export async function serving(test, answer) {
  const requests = [];
  const server = createServer(async (incoming, outgoing) => {
    const parts = [];
    for await (const part of incoming) parts.push(part);
    const request = { method: incoming.method, url: incoming.url, headers: incoming.headers, body: Buffer.concat(parts) };
    requests.push(request);
    const given = answer(request);
    if (given === null) return incoming.socket.destroy();
    if (given.never) return;
    outgoing.writeHead(given.status, given.headers);
    if (given.endless) return flood(outgoing, given.endless);
    if (given.begun) return outgoing.write(given.begun, () => given.cut && incoming.socket.destroy());
    outgoing.end(given.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, baseUrl: `http://127.0.0.1:${server.address().port}` };
}
