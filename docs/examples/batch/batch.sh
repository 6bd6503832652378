batch=$(curl --fail-with-body -s -X POST http://localhost:8080/api/v1/batch \
    -H "X-API-Key: $IOPAINT_API_KEY" \
    -F "images=@img1.jpg" -F "images=@img2.jpg" -F "mask=@mask.png" |
    grep -o '"id":"[^"]*"' | head -1 | cut -d '"' -f 4)

# An event for each picture that ends. The stream ends with the batch, or after a minute: then send this again.
curl -sN "http://localhost:8080/api/v1/batch/$batch/events" -H "X-API-Key: $IOPAINT_API_KEY"

curl --fail-with-body "http://localhost:8080/api/v1/batch/$batch/results.zip" \
    -H "X-API-Key: $IOPAINT_API_KEY" -o results.zip
