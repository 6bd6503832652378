# pip install iopaint-sdk
from iopaint import IOPaintClient

client = IOPaintClient(base_url="http://localhost:8080")  # the key: IOPAINT_API_KEY
client.remove_watermark("image.jpg", mask="mask.png", mode="auto", grow=4, output="result.png")
