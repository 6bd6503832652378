curl --fail-with-body -X POST http://localhost:8080/api/v1/detect \
    -H "X-API-Key: $IOPAINT_API_KEY" -H "Accept: image/png" \
    -F "image=@image.jpg" -F "targets=text" -o lettering.png
# Look at lettering.png: paint black what is to stay. Then:
curl --fail-with-body -X POST http://localhost:8080/api/v1/remove-watermark \
    -H "X-API-Key: $IOPAINT_API_KEY" \
    -F "image=@image.jpg" -F "mask=@lettering.png" -o result.png
