# pip install iopaint-sdk
from iopaint import IOPaintClient

client = IOPaintClient(base_url="http://localhost:8080")  # the key: IOPAINT_API_KEY
found = client.detect("image.jpg", targets=["text"]).boxes
for box in found:
    print(box.x, box.y, box.width, box.height, box.score, box.polygon)

lowest = max(found, key=lambda box: box.y)  # a caption, perhaps
client.remove_watermark("image.jpg", rectangles=[lowest], output="result.png")
