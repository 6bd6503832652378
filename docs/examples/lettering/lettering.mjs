// npm install iopaint-sdk
import { IOPaintClient } from 'iopaint-sdk';

const client = new IOPaintClient({ baseUrl: 'http://localhost:8080' }); // the key: IOPAINT_API_KEY
const { boxes } = await client.detect('image.jpg', { targets: ['text'] });
for (const { x, y, width, height, score, polygon } of boxes) console.log(x, y, width, height, score, polygon);

const lowest = boxes.reduce((one, other) => (other.y > one.y ? other : one)); // a caption, perhaps
await client.removeWatermark('image.jpg', 'result.png', { rectangles: [lowest] });
