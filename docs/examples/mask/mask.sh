curl --fail-with-body -X POST http://localhost:8080/api/v1/remove-watermark \
    -H "X-API-Key: $IOPAINT_API_KEY" \
    -F "image=@image.jpg" -F "mask=@mask.png" -F "mode=auto" -F "grow=4" -o result.png
