import { IOPaintClient } from 'iopaint-sdk';

const client = new IOPaintClient({ baseUrl: 'http://localhost:8080' });
await client.batchProcess(['img1.jpg', 'img2.jpg'], 'results', { mask: 'mask.png' });
