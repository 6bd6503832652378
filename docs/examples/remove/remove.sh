curl --fail-with-body -X POST http://localhost:8080/api/v1/remove-watermark \
    -H "X-API-Key: $IOPAINT_API_KEY" \
    -F "image=@image.jpg" -o result.png
