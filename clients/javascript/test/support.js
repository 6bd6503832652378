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

export function refusal(status, code, headers = {}) {
  const body = JSON.stringify({ error: '-', detail: 'A text.', status_code: status, code, request_id: 'r-1' });
  return { status, body, headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'r-1', ...headers } };
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
    outgoing.writeHead(given.status, given.headers).end(given.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, baseUrl: `http://127.0.0.1:${server.address().port}` };
}
