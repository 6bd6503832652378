from iopaint import IOPaintClient

client = IOPaintClient(base_url="http://localhost:8080")
client.batch_process(["img1.jpg", "img2.jpg"], output_dir="results", mask="mask.png", progress=True)
