"""Static files under names with their content's hash, scripts that import each other too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModules(CompressedManifestStaticFilesStorage):
    """What a module imports is renamed inside it, too; modules must not import each other in a circle."""

    support_js_module_import_aggregation = True
