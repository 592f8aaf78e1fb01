"""Invented people: family and given names by the language a family came with, so that a list of patients looks like a city's.

The lists are common names, combined at random; any likeness to a person is chance.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Names that go together. `language` is the other language spoken at home (BCP 47) and `speaks` how many prefer it to English."""

    weight: float
    language: str
    speaks: float
    family: tuple[str, ...]
    female: tuple[str, ...]
    male: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ENGLISH_FAMILY = _words(
    """
    Abbott Adams Alder Allen Anderson Archer Atkins Bailey Baker Barnes Barrett Bell Bennett Bishop Black Blake Booth
    Bowen Bradley Brennan Brooks Brown Bryant Burke Burns Byrne Caldwell Campbell Carlson Carpenter Carr Carroll Carter
    Chambers Chapman Clark Cole Collins Connolly Cook Cooper Cox Crawford Cross Cunningham Curtis Dalton Daly Davies
    Dawson Dean Dixon Donovan Douglas Doyle Duncan Dunn Edwards Elliott Ellis Evans Farrell Ferguson Fisher Fitzgerald
    Fletcher Flynn Foster Fox Francis Fraser Gallagher Gardner Gibson Gilbert Gordon Graham Grant Graves Gray Green
    Griffin Hale Hall Hamilton Hansen Harper Harrison Hart Harvey Hayes Henderson Hicks Hill Holland Holmes Hopkins Howard
    Hudson Hughes Hunt Hunter Jacobs Jennings Jensen Johnson Jordan Keller Kelly Kennedy Kerr King Knight Lambert Larson
    Lawrence Lawson Leonard Lloyd Logan Long Lowe Lynch MacDonald Marsh Marshall Martin Mason McCarthy McCoy McKenzie
    Meyer Miller Mills Mitchell Moore Morgan Morris Murphy Murray Myers Nash Nelson Newman Nichols Nolan Norris Olsen
    Owens Palmer Parker Parsons Pearson Perkins Perry Peters Phillips Pierce Porter Powell Price Quinn Reed Reeves Reid
    Reynolds Rhodes Richards Riley Roberts Rogers Rose Ross Russell Ryan Saunders Schmidt Schneider Schultz Scott Shaw
    Simmons Simpson Slater Smith Snyder Spencer Stanley Stevens Stewart Stone Sullivan Sutton Taylor Thompson Todd Tucker
    Turner Underwood Vaughn Wagner Walker Wallace Walsh Ward Warren Watson Weaver Webb Weber Wells West Wheeler White
    Wilcox Wilkins Wilson Winters Wood Woods Wright Wyatt Yates York
    """
)
_ENGLISH_FEMALE = _words(
    """
    Abigail Alice Amanda Amelia Amy Andrea Angela Anna Audrey Barbara Bethany Bonnie Brenda Caroline Catherine Charlotte
    Chloe Christine Claire Cynthia Deborah Diane Donna Dorothy Eleanor Elizabeth Ella Emily Emma Erin Evelyn Fiona Frances
    Gail Grace Hannah Hazel Heather Helen Holly Irene Isabel Jane Janet Janice Jean Jennifer Jessica Joan Joyce Judith
    Julia Karen Kathleen Kelly Kimberly Laura Lauren Leah Lillian Linda Lisa Louise Lucy Margaret Marie Martha Mary Megan
    Melissa Michelle Molly Nancy Natalie Nicole Nora Olivia Pamela Patricia Paula Phyllis Rachel Rebecca Rose Ruth
    Samantha Sandra Sarah Sharon Shirley Sophie Stephanie Susan Teresa Tracy Valerie Victoria Violet Virginia Wendy Zoe
    """
)
_ENGLISH_MALE = _words(
    """
    Aaron Adam Alan Albert Alexander Andrew Anthony Arthur Austin Benjamin Bernard Bradley Brandon Brian Bruce Calvin Carl
    Charles Christopher Clarence Colin Connor Craig Curtis Daniel David Dennis Donald Douglas Dylan Edward Elliot Eric
    Ethan Eugene Evan Francis Frank Frederick Gary George Gerald Gordon Grant Gregory Harold Harry Henry Howard Hugh Ian
    Isaac Jack Jacob James Jason Jeffrey Jeremy Joel John Jonathan Joseph Joshua Keith Kenneth Kevin Kyle Lawrence Leonard
    Liam Logan Louis Lucas Mark Martin Matthew Michael Nathan Neil Nicholas Noah Norman Oliver Oscar Owen Patrick Paul
    Peter Philip Ralph Raymond Richard Robert Roger Ronald Roy Russell Ryan Samuel Scott Sean Simon Stanley Stephen Stuart
    Theodore Thomas Timothy Todd Travis Victor Vincent Walter Warren Wayne William
    """
)

ORIGINS: tuple[Origin, ...] = (
    Origin(0.40, "en", 0.0, _ENGLISH_FAMILY, _ENGLISH_FEMALE, _ENGLISH_MALE),
    Origin(
        0.20,
        "es",
        0.55,
        _words(
            """
            Acosta Aguilar Álvarez Arroyo Ávila Barrera Benítez Cabrera Calderón Camacho Campos Cárdenas Castillo Castro
            Cervantes Chávez Contreras Cordero Coronado Cruz Delgado Díaz Domínguez Durán Escobar Espinoza Estrada
            Fernández Figueroa Flores Fuentes Gallegos García Gómez González Guerrero Gutiérrez Guzmán Hernández Herrera
            Ibarra Jiménez Lara León López Luna Maldonado Marín Márquez Medina Mejía Méndez Mendoza Miranda Molina Montoya
            Morales Moreno Muñoz Navarro Núñez Ochoa Orozco Ortega Ortiz Pacheco Padilla Paredes Peña Peralta Pérez Ponce
            Quintero Ramírez Ramos Rentería Reyes Ríos Rivera Robles Rodríguez Rojas Romero Rosales Rubio Ruiz Salazar
            Salinas Sánchez Sandoval Santiago Serrano Silva Solís Soto Suárez Tapia Torres Trujillo Valdez Valencia Vargas
            Vázquez Vega Velasco Vera Villalobos Villanueva Zamora Zavala Zúñiga
            """
        ),
        _words(
            """
            Adriana Alejandra Alicia Ana Andrea Ángela Beatriz Blanca Camila Carmen Carolina Catalina Cecilia Claudia
            Cristina Daniela Diana Elena Elsa Esperanza Esther Gabriela Gloria Guadalupe Inés Isabel Jimena Josefina Juana
            Julieta Leticia Lorena Lucía Luisa Luz Magdalena Marcela Margarita María Mariana Marisol Mercedes Natalia
            Noemí Norma Olga Patricia Paula Paulina Pilar Raquel Rocío Rosa Sara Silvia Sofía Soledad Susana Teresa
            Valentina Valeria Verónica Victoria Ximena Yolanda
            """
        ),
        _words(
            """
            Adrián Agustín Alberto Alejandro Alfonso Alfredo Álvaro Andrés Ángel Antonio Armando Arturo Benjamín Carlos
            César Cristian Daniel David Diego Eduardo Emilio Enrique Ernesto Esteban Felipe Félix Fernando Francisco
            Gabriel Gerardo Gilberto Guillermo Gustavo Héctor Hugo Ignacio Iván Jaime Javier Jesús Joaquín Jorge José Juan
            Julio Leonardo Lorenzo Luis Manuel Marcos Mario Martín Mateo Mauricio Miguel Nicolás Óscar Pablo Pedro Rafael
            Ramón Raúl Ricardo Roberto Rodrigo Rubén Salvador Santiago Sebastián Sergio Tomás Vicente Víctor
            """
        ),
    ),
    Origin(
        0.13,
        "en",
        0.0,
        _words(
            """
            Alston Banks Battle Baptiste Bolden Booker Bridges Brooks Broussard Bryant Cannon Charles Coleman Cooper
            Dawkins Dixon Dorsey Drayton Easley Fields Franklin Gaines Gibbs Glover Goode Grady Greene Hairston Hampton
            Hardy Harris Hawkins Henderson Hinton Ingram Jackson James Jefferson Jenkins Johnson Jones Joseph Lewis
            Lockett Mack Mays McDaniel McNeil Merritt Moody Mosley Moss Odom Patterson Pettway Pierre Pinkney Rivers
            Robinson Rollins Rucker Sampson Simmons Singleton Smalls Spears Stallworth Stokes Tate Thomas Tolbert Vance
            Walton Washington Watkins Whitfield Wiggins Williams Winston Wooten Young
            """
        ),
        _words(
            """
            Aaliyah Alicia Amara Angela Bernice Beverly Bianca Brianna Camille Candace Carla Charlene Crystal Danielle
            Deja Denise Destiny Dominique Ebony Erica Faith Felicia Gwendolyn Imani Jada Jasmine Kayla Keisha Kenya Kiara
            Lashonda Latoya Loretta Mabel Mya Monique Naomi Nia Patrice Raven Renee Rhonda Sade Shanice Shayla Simone
            Tamara Tanya Tasha Tiana Vanessa Yolanda Yvonne Zora
            """
        ),
        _words(
            """
            Alonzo Andre Antoine Booker Calvin Cedric Cornell Curtis Damon Darius Darnell Darryl Deandre Demetrius Deshawn
            Desmond Dwayne Earl Elijah Emmett Ezekiel Floyd Gerald Isaiah Jamal Jalen Jerome Kareem Keenan Kendrick Lamar
            Leroy Lionel Malcolm Malik Marcus Marquis Marvin Maurice Nathaniel Otis Percy Quentin Rashad Reginald Rodney
            Roosevelt Sherman Terrance Terrell Theo Trevon Tyrone Vernon Willie Xavier Zachary
            """
        ),
    ),
    Origin(
        0.05,
        "zh",
        0.45,
        _words(
            """
            Chan Chang Chen Cheng Chiu Chow Chu Deng Fang Feng Gao Guo He Hu Huang Jiang Lau Leung Li Liang Lin Liu Lo Luo
            Ma Pan Qiu Shen Song Sun Tan Tang Tsai Wang Wei Wong Wu Xie Xu Yang Yao Yip Yu Zhang Zhao Zheng Zhou Zhu
            """
        ),
        _words(
            """
            Ai Amy Bing Fang Grace Hong Hui Jia Jing Joyce Juan Lan Li Lian Lily Ling Mei Min Na Ping Qing Rui Shu Vivian
            Wen Xia Xin Xiu Yan Ying Yu Yue Yun Zhen
            """
        ),
        _words(
            """
            Andy Bin Bo Chao Cheng Da Feng Gang Guang Hai Hao Henry Hong Hua Jian Jie Jun Kai Kevin Lei Liang Long Ming
            Peng Qiang Rong Tao Wei Xiang Yang Yi Yong Zhi
            """
        ),
    ),
    Origin(
        0.05,
        "hi",
        0.20,
        _words(
            """
            Agarwal Ahmed Banerjee Bhatt Chakraborty Chatterjee Chopra Das Desai Dutta Gandhi Ghosh Gill Gupta Hussain
            Iyer Jain Joshi Kapoor Kaur Khan Khanna Kulkarni Kumar Malhotra Mehta Menon Mishra Mukherjee Nair Naidu Pandey
            Patel Pillai Rao Reddy Roy Saxena Sen Shah Sharma Singh Sinha Srinivasan Subramanian Thakur Trivedi Varma
            Verma
            """
        ),
        _words(
            """
            Aditi Ananya Anita Anjali Aparna Asha Ayesha Deepa Divya Fatima Gita Harpreet Indira Isha Jyoti Kavita Lakshmi
            Lata Leela Maya Meena Meera Nisha Padma Pooja Priya Radha Rani Rekha Ritu Sandhya Sapna Seema Shanti Shreya
            Sita Sunita Swati Usha Vidya
            """
        ),
        _words(
            """
            Abhishek Ajay Amit Anand Anil Arjun Arun Ashok Bharat Deepak Dev Dinesh Farhan Ganesh Gopal Harish Imran Karan
            Krishna Kunal Mahesh Manoj Mohan Mukesh Nikhil Pranav Rahul Raj Rajesh Rakesh Ramesh Ravi Rohan Sachin Sanjay
            Suresh Sunil Tariq Varun Vijay Vikram
            """
        ),
    ),
    Origin(
        0.03,
        "ar",
        0.45,
        _words(
            """
            Abbas Abdallah Aziz Bakr Darwish Farah Fawzi Haddad Hakim Halabi Hamdan Hariri Hassan Ibrahim Issa Jaber
            Kanaan Karam Khalil Khoury Mahfouz Mansour Masri Nader Najjar Nasser Omar Qasim Rahman Rashid Saad Saleh Salim
            Sayegh Shadid Shaheen Tahir Yassin Zaki Zayed
            """
        ),
        _words(
            """
            Aisha Amal Amina Dalia Dina Farida Hala Hanan Huda Iman Jamila Khadija Laila Lina Maha Mariam Mona Nadia Nour
            Rana Rania Reem Rima Salma Samira Sana Yasmin Zahra Zeinab
            """
        ),
        _words(
            """
            Adel Ahmad Ali Amir Bassam Faisal Fares Habib Hadi Hamza Hasan Hussein Jamil Kamal Karim Khaled Mahmoud Majid
            Mustafa Nabil Omar Rami Samir Sami Tarek Walid Yasser Youssef Ziad
            """
        ),
    ),
    Origin(
        0.04,
        "ru",
        0.35,
        _words(
            """
            Adamski Baran Bondarenko Chernov Dabrowski Fedorov Gorski Horvat Ivanov Jankowski Kaminski Kovalenko Kowalczyk
            Kozlov Krawczyk Kravchenko Kuznetsov Lewandowski Lisowski Marchenko Mazur Melnyk Morozov Nowak Novak Orlov
            Pavlenko Petrov Popov Romanenko Sadowski Shevchenko Sidorov Sokolov Tkachenko Vasiliev Volkov Wisniewski
            Wojcik Zielinski
            """
        ),
        _words(
            """
            Agnieszka Alina Anastasia Anya Barbara Daria Ekaterina Elena Ewa Galina Halina Irina Joanna Katarzyna Kira
            Ksenia Larisa Ludmila Marina Monika Natalia Nina Oksana Olga Polina Raisa Sofia Svetlana Tamara Tatiana
            Urszula Vera Yelena Yulia Zofia
            """
        ),
        _words(
            """
            Aleksander Alexei Andrei Anton Boris Bogdan Dmitri Filip Georgy Grigory Igor Ivan Jakub Jan Jerzy Kirill
            Konstantin Leonid Lukasz Maksim Marek Mikhail Nikolai Oleg Pavel Piotr Roman Ruslan Sergei Stanislav Tomasz
            Vadim Viktor Vladimir Wojciech Yuri
            """
        ),
    ),
    Origin(
        0.02,
        "vi",
        0.50,
        _words(
            """
            Bùi Cao Châu Đặng Đinh Đỗ Đoàn Dương Hà Hồ Hoàng Huỳnh Lâm Lê Lương Lý Mai Ngô Nguyễn Phạm Phan Phùng Tạ Thái
            Trần Trịnh Trương Võ Vũ
            """
        ),
        _words(
            """
            Anh Bích Cúc Diễm Dung Hằng Hạnh Hiền Hoa Hồng Hương Lan Linh Loan Mai My Nga Ngọc Nhung Phương Quyên Thảo Thu
            Thúy Trang Tuyết Vân Yến
            """
        ),
        _words(
            """
            An Bảo Bình Cường Đạt Đức Dũng Hải Hiếu Hùng Huy Khánh Khoa Lâm Long Minh Nam Nghĩa Phong Phúc Quân Quang Sơn
            Tâm Thành Thịnh Tiến Tuấn
            """
        ),
    ),
    Origin(
        0.02,
        "ko",
        0.45,
        _words(
            """
            Ahn Bae Baek Chang Cho Choi Chung Han Hong Hwang Jang Jeon Jeong Jung Kang Kim Ko Kwon Lee Lim Moon Nam Noh Oh
            Park Ryu Seo Shin Son Yang Yoon
            """
        ),
        _words(
            """
            Bora Eunji Hana Haeun Hyejin Jiwoo Jiyoung Kyung Mina Minji Miyoung Nari Seoyeon Soojin Sora Sumi Yejin Yoona
            Yuna Yuri
            """
        ),
        _words(
            """
            Dongwook Hyun Insoo Jaehyun Jihoon Jinwoo Joonho Junseo Kyungmin Minho Minjun Sangwoo Seojun Sungjin Taeyang
            Woojin Yongho Youngsoo
            """
        ),
    ),
    Origin(
        0.02,
        "ht",
        0.50,
        _words(
            """
            Antoine Augustin Bazile Beauvais Belizaire Bien-Aimé Cadet Célestin Charlot Desir Dorval Dumas Estimé Fleurant
            Germain Guerrier Jean-Baptiste Jean-Louis Joachim Laguerre Lamour Louissaint Mondésir Nozil Paul Philistin
            Saint-Fleur Toussaint Valcourt Vilsaint
            """
        ),
        _words(
            """
            Carline Chantal Claudette Edeline Esther Fabiola Farah Ghislaine Guerline Islande Josette Lovelie Magalie
            Manouchka Marlène Mirlande Nadège Rose-Marie Roselaure Solange Widline Yolette
            """
        ),
        _words(
            """
            Alix Bernadin Clervil Daniel Edner Emmanuel Evens Fritz Garry Guerby Hérold Jackson Jean-Claude Jocelyn
            Kervens Ludovic Moïse Patrick Pierre Réginald Ricardo Wilner Yves
            """
        ),
    ),
    Origin(
        0.02,
        "pt",
        0.45,
        _words(
            """
            Almeida Alves Andrade Araújo Azevedo Barbosa Barros Batista Cardoso Carvalho Coelho Correia Costa Cunha Duarte
            Esteves Fonseca Freitas Gomes Gonçalves Lopes Machado Magalhães Marques Melo Monteiro Moreira Nogueira
            Oliveira Pereira Pinto Ribeiro Rocha Santos Simões Sousa Tavares Teixeira Vieira
            """
        ),
        _words(
            """
            Adelaide Amália Beatriz Bruna Camila Clara Débora Fátima Fernanda Filipa Flávia Helena Inês Joana Juliana
            Larissa Letícia Luísa Mafalda Manuela Mariana Marta Rafaela Renata Rita Tatiana Teresa Vanessa
            """
        ),
        _words(
            """
            Afonso Antônio Bernardo Bruno Caio Duarte Fábio Fernando Filipe Flávio Gonçalo Guilherme Heitor Henrique João
            Jorge Leandro Luís Marcelo Murilo Nuno Otávio Paulo Pedro Renato Rogério Rui Thiago Tiago Vítor
            """
        ),
    ),
    Origin(
        0.02,
        "tl",
        0.30,
        _words(
            """
            Aguinaldo Aquino Bautista Bayani Buenaventura Cabral Cayabyab Concepcion Dalisay Delacruz Dimaculangan
            Evangelista Galang Lacson Laurel Macaraeg Magbanua Magsaysay Manalo Ocampo Panganiban Pascual Punzalan
            Quiambao Salonga Sumulong Tolentino Villaluz
            """
        ),
        _words(
            """
            Analyn Angelica Corazon Diwa Divina Erlinda Imelda Ligaya Lourdes Luzviminda Marites Maricel Marivic Mayumi
            Milagros Nenita Perla Remedios Rosalinda Rowena Teresita Tala
            """
        ),
        _words(
            """
            Bayani Benigno Danilo Dante Efren Emilio Ferdinand Isagani Jericho Jomar Joselito Lito Manuel Nestor Noel
            Reynaldo Rizal Rogelio Romeo Ronaldo Virgilio
            """
        ),
    ),
)
