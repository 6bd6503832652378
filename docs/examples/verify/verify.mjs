import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const secret = Buffer.from(process.env.WEBHOOK_SECRET.replace('whsec_', ''), 'base64');

function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': sent, 'webhook-signature': signatures } = headers;
  if (!(Math.abs(Date.now() / 1000 - sent) < 300)) return false;
  const wanted = createHmac('sha256', secret).update(`${id}.${sent}.${body}`).digest();
  return signatures.split(' ').some((each) => {
    const given = Buffer.from(each.replace('v1,', ''), 'base64');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

createServer(async (request, response) => {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  const genuine = isGenuine(request.headers, body);
  if (genuine) console.log(JSON.parse(body).type);
  response.writeHead(genuine ? 204 : 400).end();
}).listen(process.env.PORT);
