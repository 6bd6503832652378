// npm install iopaint-sdk
import { IOPaintClient } from 'iopaint-sdk';

const client = new IOPaintClient({ baseUrl: 'http://localhost:8080' }); // the key: IOPAINT_API_KEY
await client.removeWatermark('image.jpg', 'result.png', { mask: 'mask.png', mode: 'auto', grow: 4 });
