package benchmarks

// mgsmLanguage is how a language asks and answers.
type mgsmLanguage struct {
	// Of simple-evals (openai/simple-evals, mgsm_eval.py, commit ee3b031; MIT License, Copyright (c) 2024
	// OpenAI). They are what its scores were measured with, slips of the pen included.
	prefix, instruction string
	// Of lm-evaluation-harness 0.4.13 (lm_eval/tasks/mgsm/native_cot): before the problem, behind it, and
	// the pattern of strict-match.
	question, steps, strict string
}

var mgsmLanguages = map[string]mgsmLanguage{
	"bn": {
		prefix:      "উত্তর",
		instruction: `এই গণিতের সমস্যাটি সমাধান করুন। চূড়ান্ত উত্তর দেওয়ার আগে যুক্তিসম্পন্ন পদক্ষেপ প্রদান করুন। চূড়ান্ত উত্তরটি একক সংখ্যা হিসাবে "উত্তর:" এর পরে শেষ লাইনে দিন। "উত্তর:" এর পরে অন্য কিছু যুক্ত করবেন না।.`,
		question:    "প্রশ্ন: ", steps: "ধাপে ধাপে উত্তর:",
		strict: `The answer is (\-?[0-9\.\,]+)`,
	},
	"de": {
		prefix:      "Antwort",
		instruction: `Löse dieses Mathematikproblem. Gib die Schritte zur Begründung an, bevor du die endgültige Antwort in der letzten Zeile alleine im Format "Antwort:" gibst. Füge nichts anderes als die ganzzahlige Antwort nach "Antwort:" hinzu.`,
		question:    "Frage: ", steps: "Schritt-für-Schritt-Antwort:",
		strict: `Die Antwort lautet (\-?[0-9\.\,]+)`,
	},
	"en": {
		prefix:      "Answer",
		instruction: `Solve this math problem. Give the reasoning steps before giving the final answer on the last line by itself in the format of "Answer:". Do not add anything other than the integer answer after "Answer:".`,
		question:    "Question: ", steps: "Step-by-Step Answer:",
		strict: `The answer is (\-?[0-9\.\,]+)`,
	},
	"es": {
		prefix:      "Respuesta",
		instruction: `Resuelve este problema matemático. Proporciona los pasos de razonamiento antes de dar la respuesta final en la última línea por sí misma en el formato de "Respuesta:". No añadas nada más que la respuesta entera después de "Respuesta:".`,
		question:    "Pregunta: ", steps: "Respuesta paso a paso:",
		strict: `La respuesta es (\-?[0-9\.\,]+)`,
	},
	"fr": {
		prefix:      "Réponse",
		instruction: `Résolvez ce problème de mathématiques. Donnez les étapes de raisonnement avant de fournir la réponse finale sur la dernière ligne elle-même dans le format de "Réponse:". N'ajoutez rien d'autre que la réponse entière après "Réponse:".`,
		question:    "Question : ", steps: "Réponse étape par étape :",
		strict: `La réponse est (\-?[0-9\.\,]+)`,
	},
	"ja": {
		prefix:      "答え",
		instruction: `の数学の問題を解いてください。最終的な答えを出す前に、解答の推論過程を記述してください。そして最後の行には "答え:" の形式で答えを記述し、その後には整数の答え以外何も追加しないでください。`,
		question:    "問題： ", steps: "ステップごとの答え:",
		strict: `答えは(\-?[0-9\.\,]+)です。`,
	},
	"ru": {
		prefix:      "Ответ",
		instruction: `Решите эту математическую задачу. Объясните шаги рассуждения перед тем, как дать окончательный ответ в последней строке сам по себе в формате "Ответ:". Не добавляйте ничего, кроме целочисленного ответа после "Ответ:".`,
		question:    "Задача: ", steps: "Пошаговоерешение:",
		strict: `Ответ — (\-?[0-9\.\,]+)`,
	},
	"sw": {
		prefix:      "Jibu",
		instruction: `Suluhisha tatizo hili la hesabu. Toa hatua za mantiki kabla ya kutoa jibu la mwisho kwenye mstari wa mwisho peke yake katika muundo wa "Jibu:". Usiongeze chochote kingine isipokuwa jibu la integer baada ya "Jibu:".`,
		question:    "Swali: ", steps: "Jibu la Hatua kwa Hatua:",
		strict: `Jibu ni (\-?[0-9\.\,]+)`,
	},
	"te": {
		prefix:      "సమాధానం",
		instruction: `ఈ గణిత సమస్యను పరిష్కరించండి. చివరి సమాధానాన్ని ఇవ్వదానికి ముందు తర్కాత్మక అదుగులను ఇవ్వండి. చివరి పంక్తిలో మాత్రమే 'సమాధానం:' అనే ఆకారంలో చివరి సమాధానాద్ని ఇవ్వండి సమాధానం: తర్వాత పూర్ణాంక సమాధానానికి తప్పించి ఎదేనా చేర్చవద్దు.`,
		question:    "ప్రశ్న: ", steps: "దశలవారీగా సమాధానం:",
		strict: `సమాధానం (\-?[0-9\.\,]+)`,
	},
	"th": {
		prefix:      "คำตอบ",
		instruction: `แก้ปัญหาคณิตศาสตร์นี้ ให้ให้ขั้นตอนการใช้เหตุผลก่อนที่จะให้คำตอบสุดท้ายในบรรทัดสุดท้ายโดยอยู่ในรูปแบบ "คำตอบ:" ไม่ควรเพิ่มอะไรนอกจากคำตอบที่เป็นจำนวนเต็มหลังจาก "คำตอบ:"`,
		question:    "โจทย์: ", steps: "คำตอบทีละขั้นตอน:",
		strict: `คำตอบคือ (\-?[0-9\.\,]+)`,
	},
	"zh": {
		prefix:      "答案",
		instruction: `解决这个数学问题。在最后一行给出答案前，请提供推理步骤。最后一行应该以 "答案: " 的形式独立给出答案。在 "答案：" 后不要添加除整数答案之外的任何内容。`,
		question:    "问题： ", steps: "逐步解答:",
		strict: `答案是 (\-?[0-9\.\,]+)。`,
	},
}
