"""What languages are called."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    "am": "Amharic", "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fil": "Filipino", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hmn": "Hmong", "ht": "Haitian Creole", "hu": "Hungarian", "hy": "Armenian", "it": "Italian", "ja": "Japanese", "km": "Khmer",
    "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "so": "Somali", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "tl": "Tagalog",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "yue": "Cantonese", "zh": "Chinese",
}  # fmt: skip
"""English names of BCP 47 primary language subtags (ISO 639), for those that staff and patients are likely to speak."""
