"""What patients should know before a visit, in English and Spanish."""

from typing import Final

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "arrive": (
        "Please come 10 minutes early.",
        "Por favor, llegue 10 minutos antes.",
    ),
    "new-patient": (
        "Please come 15 minutes early. Bring a list of your medicines, your insurance card and earlier results.",
        "Por favor, llegue 15 minutos antes. Traiga la lista de sus medicamentos, su tarjeta de seguro y resultados anteriores.",
    ),
    "follow-up": (
        "Please come 10 minutes early and bring a list of your medicines.",
        "Por favor, llegue 10 minutos antes y traiga la lista de sus medicamentos.",
    ),
    "video": (
        "The visit takes place by video. Find a quiet, bright place and test your camera and microphone before.",
        "La visita es por video. Busque un lugar tranquilo y con luz, y pruebe antes la cámara y el micrófono.",
    ),
    "check-up": (
        "Bring your vaccination record. For blood tests, eat nothing for 8 hours before; water is fine.",
        "Traiga su registro de vacunas. Para los análisis de sangre no coma nada en las 8 horas anteriores; puede beber agua.",
    ),
    "child": (
        "Bring the vaccination record. A parent or guardian must come along.",
        "Traiga el registro de vacunas. Debe venir la madre, el padre o el tutor.",
    ),
    "urgent": (
        "If it gets worse before your time, come at once. In an emergency call 911.",
        "Si empeora antes de su hora, venga de inmediato. En una emergencia llame al 911.",
    ),
    "pregnancy": (
        "Bring your pregnancy record. You may bring a companion.",
        "Traiga su control de embarazo. Puede venir acompañada.",
    ),
    "procedure": (
        "Tell us beforehand if you take blood thinners. Wear loose clothes. Most people go home right afterwards.",
        "Avísenos antes si toma anticoagulantes. Use ropa cómoda. La mayoría vuelve a casa enseguida.",
    ),
    "sedation": (
        "Eat nothing for 8 hours before; clear drinks are fine until 2 hours before. Someone must take you home.",
        "No coma nada en las 8 horas anteriores; puede tomar líquidos claros hasta 2 horas antes. Alguien debe llevarle a casa.",
    ),
    "colonoscopy": (
        "Start the bowel preparation the evening before, as in the leaflet. Someone must take you home.",
        "Empiece la preparación del intestino la tarde anterior, según la hoja. Alguien debe llevarle a casa.",
    ),
    "gastroscopy": (
        "Eat nothing for 8 hours and drink nothing for 2 hours before. Someone must take you home.",
        "No coma nada en las 8 horas anteriores ni beba en las 2 horas anteriores. Alguien debe llevarle a casa.",
    ),
    "surgery": (
        "Eat nothing after midnight; clear drinks are fine until 2 hours before. Someone must take you home and stay overnight.",
        "No coma nada después de medianoche; líquidos claros hasta 2 horas antes. Alguien debe llevarle a casa y quedarse esa noche.",
    ),
    "allergy-test": (
        "Do not take antihistamines for 7 days before. Ask us if you are not sure.",
        "No tome antihistamínicos en los 7 días anteriores. Pregúntenos si tiene dudas.",
    ),
    "medicines": (
        "Bring all your medicines in their boxes and your earlier anesthesia records.",
        "Traiga todos sus medicamentos en sus cajas y sus informes de anestesia anteriores.",
    ),
    "eye-drops": (
        "Eye drops will blur your sight for some hours: please do not drive yourself home.",
        "Las gotas nublan la vista por unas horas: por favor, no conduzca de regreso.",
    ),
    "dental": (
        "Brush your teeth before. Tell us if you take blood thinners.",
        "Cepíllese los dientes antes. Avísenos si toma anticoagulantes.",
    ),
    "fasting": (
        "Eat and drink nothing but water for 10 hours before.",
        "No coma ni beba nada, salvo agua, en las 10 horas anteriores.",
    ),
    "x-ray": (
        "Tell us if you could be pregnant. Leave jewelry at home.",
        "Avísenos si pudiera estar embarazada. Deje las joyas en casa.",
    ),
    "contrast": (
        "Tell us beforehand about kidney disease, allergies or a possible pregnancy. Drink plenty of water afterwards.",
        "Avísenos antes si tiene enfermedad renal, alergias o un posible embarazo. Beba mucha agua después.",
    ),
    "mri": (
        "Tell us beforehand about a pacemaker, implants or metal in your body. The scan is loud; you will get ear protection.",
        "Avísenos antes si lleva marcapasos, implantes o metal en el cuerpo. El examen es ruidoso; le daremos protección para los oídos.",
    ),
    "ultrasound": (
        "For the abdomen eat nothing for 6 hours before; for the pelvis come with a full bladder.",
        "Para el abdomen no coma nada en las 6 horas anteriores; para la pelvis venga con la vejiga llena.",
    ),
    "mammogram": (
        "Use no deodorant or powder on the day.",
        "No use desodorante ni talco ese día.",
    ),
    "stress-test": (
        "Wear sports shoes. No coffee on the day. Ask which medicines to leave out.",
        "Use calzado deportivo. No tome café ese día. Pregunte qué medicamentos debe suspender.",
    ),
    "sleep": (
        "Come at 8 in the evening with your nightclothes and medicines. You may leave in the morning.",
        "Venga a las 8 de la noche con su ropa de dormir y sus medicamentos. Puede irse por la mañana.",
    ),
    "vaccination": (
        "Bring your vaccination record and wear a shirt with loose sleeves.",
        "Traiga su registro de vacunas y use una camisa de manga holgada.",
    ),
    "infusion": (
        "Eat a light meal before, bring something to read, and tell us about fever or infection.",
        "Coma ligero antes, traiga algo para leer y avísenos si tiene fiebre o una infección.",
    ),
    "therapy": (
        "Wear comfortable clothes and bring reports and pictures of your condition.",
        "Use ropa cómoda y traiga informes e imágenes de su caso.",
    ),
}


def instructions(key: str) -> dict[str, str]:
    """The text of a key by BCP 47 tag."""
    english, spanish = _TEXTS[key]
    return {"en": english, "es": spanish}
